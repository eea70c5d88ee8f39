"""How a ledger is known, without loading what makes one: every start of a program asks for that."""

APPLICATION_ID = 0x6A6F6264
"""`jobd`: how a jobdesk ledger is told from any other SQLite file."""
VERSION = 3
"""Of the tables: how many `tables.MIGRATIONS` there are."""

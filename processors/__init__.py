"""Types of jobs that come with jobdesk, one file a subject; found through entry points like any other."""

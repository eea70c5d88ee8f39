"""The HTTP API: `jobdesk serve`. One table of routes, thin over `Desk`; needs the extra `jobdesk[http]`.

table       every route, gathered from the files by subject: jobs, lists, queues, scheduler, health, events
route       what a route is, what it is asked, what it answers
app         from the table to a Starlette application: reads, calls in a thread, writes
guard       before any route: host, rate, origin, token
feed        wakes the open streams when the ledger has changed
openapi     the table as a document
server      uvicorn in a thread, on a socket of its own
"""

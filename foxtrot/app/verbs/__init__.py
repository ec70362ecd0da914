"""The verbs of the command line, one module each: its description, its arguments and what it does.

Not the parsing of the line itself (cli does that) and not the work (the packages do that). A verb is imported only when it is used.
"""

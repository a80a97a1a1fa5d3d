"""The order desk: an EHR's order entry in the browser, to play the example patients. In development only.

It is a package of its own because it needs the example patients, which the server may not see. wsgi.py joins it in
development only; production does not even import it. It has no framework and no build step: it is three lists and a
table.
"""

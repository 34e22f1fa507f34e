"""Where tasks run: here, in as many processes as there are cores.

A task is a function of picklable arguments; an engine runs many of them, yields each result as it is ready, retries a
crashed worker's task once and then names it. One thread a process: small networks gain nothing from a second one.
"""

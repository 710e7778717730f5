#!/usr/bin/env python3
"""How long a step of a scenario takes with microbatches of 1, 2, 4 and 8 sequences, through ctypes.

    python3 microbatches.py scenarios/quickstart.yaml

The library is found where the loader looks; ORRERY_LIBRARY names another file."""

import ctypes
import json
import os
import sys


class Request(ctypes.Structure):
    _fields_ = [
        ("size", ctypes.c_size_t),
        ("path", ctypes.c_char_p),
        ("yaml", ctypes.c_char_p),
        ("yaml_bytes", ctypes.c_size_t),
        ("sets", ctypes.POINTER(ctypes.c_char_p)),
        ("text", ctypes.c_bool),
        ("out", ctypes.c_char_p),
        ("trace", ctypes.c_char_p),
        ("report", ctypes.c_char_p),
    ]


def load():
    library = ctypes.CDLL(os.environ.get("ORRERY_LIBRARY", "liborrery.so.0"))
    library.orrery_run.restype = ctypes.c_void_p
    library.orrery_run.argtypes = [ctypes.POINTER(Request)]
    for name in ("orrery_run_json", "orrery_run_message"):
        getattr(library, name).restype = ctypes.c_char_p
        getattr(library, name).argtypes = [ctypes.c_void_p]
    library.orrery_run_free.restype = None
    library.orrery_run_free.argtypes = [ctypes.c_void_p]
    return library


def run(library, path, sets):
    """The answer as a dictionary; ValueError with every fault of a wrong scenario."""
    texts = (ctypes.c_char_p * (len(sets) + 1))(*[text.encode() for text in sets], None)
    request = Request(size=ctypes.sizeof(Request), path=path.encode(), sets=texts)
    answer = library.orrery_run(ctypes.byref(request))
    try:
        text = library.orrery_run_json(answer)
        if text is None:
            raise ValueError(library.orrery_run_message(answer).decode())
        return json.loads(text)
    finally:
        library.orrery_run_free(answer)


def main():
    if len(sys.argv) != 2:
        sys.exit(f"usage: {sys.argv[0]} SCENARIO.yaml")
    library = load()
    for size in (1, 2, 4, 8):
        try:
            figures = run(library, sys.argv[1], [f"plan.micro_batch={size}"])
        except ValueError as wrong:
            print(f"plan.micro_batch={size}  {wrong}")
            continue
        fits = "" if figures["fits"] else ", does not fit"
        print(f"plan.micro_batch={size}  {figures['training']['step_time_s']:.3f} s{fits}")


if __name__ == "__main__":
    main()

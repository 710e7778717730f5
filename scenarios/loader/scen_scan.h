/** Reading JSON out of a line, in place and without a tree. */
#ifndef SCEN_SCAN_H
#define SCEN_SCAN_H

#include <stdbool.h>
#include <stddef.h>

/** A part of a line: a number as it was written, a text without its quotes (escapes untouched), a
 *  list or map with its brackets. */
typedef struct ScenSlice {
    const char *text;
    size_t length;
} ScenSlice;

/** Where reading is. Once something is not as it should be, @expected says what should stand at
 *  @at, and all functions return false. */
typedef struct ScenScan {
    const char *at; /* NUL-terminated, borrowed */
    const char *expected;
} ScenScan;

/** Steps into a list ('[') or map ('{'); false when it is empty. */
bool scen_scan_enter(ScenScan *scan, char open);

/** After a value: steps to the next one; false behind the last. */
bool scen_scan_more(ScenScan *scan, char open);

/** Reads a key of a map and the colon. */
bool scen_scan_key(ScenScan *scan, ScenSlice *key);

/** Reads any value. */
bool scen_scan_value(ScenScan *scan, ScenSlice *value);

/** Nothing but blanks is left. */
bool scen_scan_end(ScenScan *scan);

/** Where the JSON number that @text starts with ends; @text itself when it starts with none. */
const char *scen_scan_number_end(const char *text);

#endif

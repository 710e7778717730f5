/** A measured row that becomes the YAML of a scenario, piece by piece. */
#ifndef SCEN_ROW_WRITER_H
#define SCEN_ROW_WRITER_H

#include "scen_row_values.h"

typedef struct ScenRowWriter {
    JsonObject *row, *model, *setup; /* NULL: the row has none, or none of that type */
    GString *yaml;                   /* all but the head of the document */
    GString *assumed;                /* what the row leaves open */
    int guesses;                     /* of that, what changes how the plan runs */
    char *fault;                     /* the first value of a wrong type */
    GError **error;
    bool failed;
    int64_t layers, pipeline, chunks; /* of a training row; chunks: virtual stages */
} ScenRowWriter;

/** Begins with @row and its `setup`; @error takes the first reason to refuse it. */
void scen_row_writer_init(ScenRowWriter *w, JsonObject *row, GError **error);
void scen_row_writer_clear(ScenRowWriter *w);

/** Appends to the document. */
void scen_row_put(ScenRowWriter *w, const char *format, ...) G_GNUC_PRINTF(2, 3);

/** Appends "@key: text"; JSON's quoting is YAML's. */
void scen_row_put_string(ScenRowWriter *w, const char *key, const char *value);

/** Notes what the source does not say; a guess changes how the plan runs. */
void scen_row_assume(ScenRowWriter *w, const char *format, ...) G_GNUC_PRINTF(2, 3);
#define scen_row_guess(w, ...) (scen_row_assume(w, __VA_ARGS__), (w)->guesses++)

/** Refuses the row, for the first reason given. */
void scen_row_refuse(ScenRowWriter *w, const char *format, ...) G_GNUC_PRINTF(2, 3);

/** The node of the catalog around @gpu; NULL refuses the row. */
const char *scen_row_node(ScenRowWriter *w, const char *gpu);

/** The document: a comment with the source, name, description, then what was put; NULL when the row
 *  was refused or has a fault. The caller owns it. */
char *scen_row_document(ScenRowWriter *w);

#endif

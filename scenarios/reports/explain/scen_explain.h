/** What the figures of reports mean: one row for each number of the JSON of an answer. */
#ifndef SCEN_EXPLAIN_H
#define SCEN_EXPLAIN_H

#include <glib.h>
#include <stddef.h>

/** A figure. Texts are sentences without a dot at their end; NULL where there is nothing to say. */
typedef struct ScenExplained {
    const char
        *path; /* dotted, as in scen_leaves.h; a word "*" stands for any, at the end for more */
    const char *line;       /* where the text report has it: "MFU" */
    const char *definition; /* what it is */
    const char *formula;
    const char *source; /* paper, section */
} ScenExplained;

/** Figures of one kind of answer. */
typedef struct ScenExplainedTable {
    const char *of; /* "orrery run, a scenario with plan:" */
    const ScenExplained *rows;
    size_t count;
} ScenExplainedTable;

extern const ScenExplainedTable scen_explain_training;
extern const ScenExplainedTable scen_explain_memory;
extern const ScenExplainedTable scen_explain_serving;
extern const ScenExplainedTable scen_explain_failures;
extern const ScenExplainedTable scen_explain_campaign;
extern const ScenExplainedTable scen_explain_queue;
extern const ScenExplainedTable scen_explain_replay;

/** All @count tables. */
const ScenExplainedTable *const *scen_explain_tables(size_t *count);

/** The row of figure @path ("serving.ttft_s.p90"), NULL when there is none. @table (may be NULL) gets
 *  its table, @aspect (likewise; a text that the caller owns) what the end of the path says beyond
 *  the row, such as "90 % of them are no larger"; NULL there when nothing. */
const ScenExplained *scen_explain_find(const char *path, const ScenExplainedTable **table,
                                       char **aspect);

/** The unit of the figure @path, by the house's rule that keys end in it: "seconds". */
const char *scen_explain_unit(const char *path);

/** Paths of all rows that start with @prefix (char *). The caller owns them. */
GPtrArray *scen_explain_names(const char *prefix);

#endif

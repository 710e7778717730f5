/** Published figures of failures beside the simulated ones, as text and as JSON. */
#ifndef SCEN_JUDGED_H
#define SCEN_JUDGED_H

#include "scen_judge.h"

#include <json-glib/json-glib.h>

/** One figure of one row. Texts are owned. */
typedef struct ScenJudgedRow {
    char *id, *source;
    char *note;      /* what was assumed; NULL when nothing was */
    char *figure;    /* "interruptions of NIC", "ettr, 5 min" */
    char *published; /* as the source has it, or the bounds */
    char *tolerance; /* as it was written; "" for bounds */
    char *said;      /* the simulated value in the unit of the figure */
    ScenFigureKind kind;
    ScenBasis basis;
    double simulated, least, most;
    bool is_within, own_tolerance;
} ScenJudgedRow;

/** An empty array of rows, which frees what its rows own. The caller owns it. */
GArray *scen_judged_rows_new(void);

/** Appends a row for each of @judgements (of ScenJudgement) of @scenario to @rows. */
void scen_judged_rows_add(GArray *rows, const ScenScenario *scenario, const GArray *judgements);

/** Appends the table of @rows, with @verbose what was assumed as well, and how many are within;
 *  nothing when there are none. */
void scen_judged_text(GString *out, const GArray *rows, bool verbose);

/** Appends the lines "Published" of the report of one run. */
void scen_judged_run_text(GString *out, const GArray *rows);

/** Appends what the figures of @rows mean, a line each. */
void scen_judged_definitions(GString *out, const GArray *rows);

/** Adds an element for each row to the array at hand. */
void scen_judged_json(JsonBuilder *json, const GArray *rows);

/** Adds the member "published" with them; nothing when @rows is NULL. */
void scen_judged_member_json(JsonBuilder *json, const GArray *rows);

/** Adds the member "failures": rows and figures within, by basis; nothing when there are none. */
void scen_judged_summary_json(JsonBuilder *json, const GArray *rows);

#endif

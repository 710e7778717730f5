/** How a measured serving row speculates. */
#ifndef SCEN_SPECULATION_ROWS_H
#define SCEN_SPECULATION_ROWS_H

#include "scen_row_writer.h"

typedef struct ScenRowSpeculation {
    const char *model; /* that stands for the row's; NULL: the row's own */
    int64_t tokens;    /* proposed; 0: the row does not speculate */
    int64_t candidates;
    double acceptance;
    double draft_fraction; /* of a plain iteration, for one proposed token */
} ScenRowSpeculation;

/** Fills @speculation from the row of @w and notes there what was assumed; refuses the row where
 *  neither it nor its source says how many proposals are accepted. */
void scen_row_speculation(ScenRowWriter *w, ScenRowSpeculation *speculation);

/** Writes @speculation as a key of `serve:`; nothing without any. */
void scen_row_put_speculation(ScenRowWriter *w, const ScenRowSpeculation *speculation);

#endif

/** The experts of a measured row. */
#ifndef SCEN_ROWS_EXPERT_H
#define SCEN_ROWS_EXPERT_H

#include "scen_row_writer.h"

/** Appends ranks, dispatcher and capacity of a plan refined from @preset. */
void scen_rows_put_experts(ScenRowWriter *w, const char *preset);

/** Whether the recipes of @preset run the exchange with experts of such a row beside compute. */
bool scen_rows_exchange_beside(ScenRowWriter *w, const char *preset);

#endif

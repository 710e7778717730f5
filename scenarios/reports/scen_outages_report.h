/** What failures did to a serving run, in words, JSON and a table. */
#ifndef SCEN_OUTAGES_REPORT_H
#define SCEN_OUTAGES_REPORT_H

#include "scen_serve_report.h"

#include <json-glib/json-glib.h>

/** Texts of a run that could fail, as the caller's array: what happened, what it cost, what that is
 *  in months. NULL where nothing could fail. */
GPtrArray *scen_outages_texts(const ScenServeReport *report);

/** The member "failures" of the object that @json has open; nothing where nothing could fail. */
void scen_outages_json(JsonBuilder *json, const ScenServeReport *report);

/** CSV of outages, a line each; "" where nothing could fail. The caller owns it. */
char *scen_outages_csv(const ScenServeReport *report);

#endif

/** The HTML page of a queue. */
#ifndef SCEN_QUEUE_PAGE_H
#define SCEN_QUEUE_PAGE_H

#include "scen_page.h"
#include "scen_queue_report.h"

/** The page of @result; @rows (of StratQueueJobRow) are the jobs of the first history as they left.
 *  Free with scen_page_free(). */
ScenPage *scen_queue_page(const ScenScenario *scenario, const StratQueueResult *result,
                          const GArray *rows);

#endif

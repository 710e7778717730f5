/** The HTML page of a training step. */
#ifndef SCEN_RUN_PAGE_H
#define SCEN_RUN_PAGE_H

#include "scen_page.h"
#include "scen_run_report.h"
#include "strat_cost.h"

/** The page of @report, which has a result, whose step @costing priced. Free with
 *  scen_page_free(). */
ScenPage *scen_run_page(const ScenRunReport *report, const StratCosting *costing);

/** Adds the figures of where the time goes: accounts, and the same by rank class. */
void scen_run_page_ledger(ScenPage *page, const StratTrainResult *result);

/** Adds the figures of memory: by stage, and of the fullest over the step. */
void scen_run_page_memory(ScenPage *page, const StratTrainResult *result);

/** Adds the timelines: of the step by stage, and of a microbatch in one of them. */
void scen_run_page_timeline(ScenPage *page, const StratTrainResult *result);

/** Adds the roofline of the operations of @costing, whose step takes @step_s with @microbatches of a
 *  replica. */
void scen_run_page_roofline(ScenPage *page, const StratCosting *costing, double step_s,
                            double microbatches);

/** Adds the tables and charts that only some scenarios have: knobs, faults, links, jobs, batches to
 *  a target. */
void scen_run_page_more(ScenPage *page, const ScenRunReport *report);

#endif

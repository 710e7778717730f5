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

/** Adds the links that held transfers back (of TopoHotLink, worst first); nothing when there are
 *  none, or NULL. */
void scen_links_page(ScenPage *page, const char *id, const char *title, const GArray *links);

/** Adds the fabric that the step of @result ran on, priced by @costing: how much the links between
 *  its kinds of devices carried, in all and over the step; nothing where the network knows no
 *  links. Runs the step once more. */
void scen_run_page_network(ScenPage *page, const StratCosting *costing,
                           const StratTrainResult *result);

/** Adds the cards of months under failures. */
void scen_campaign_page_cards(ScenPage *page, const ScenRunReport *report);

/** Adds the sections of months: incidents, where the time goes, histories, causes, cost. */
void scen_campaign_page(ScenPage *page, const ScenRunReport *report);

/** The page of @report, which has no result: months whose step is given, or a replay. Free with
 *  scen_page_free(). */
ScenPage *scen_alone_page(const ScenRunReport *report);

#endif

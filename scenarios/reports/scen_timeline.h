/** Timelines of answers as trace events, for Perfetto: one JSON document each, owned by the caller.
 *  The same answer gives the same bytes. */
#ifndef SCEN_TIMELINE_H
#define SCEN_TIMELINE_H

#include "scen_serve.h"
#include "scen_serve_log.h"
#include "sim_events.h"
#include "strat_campaign.h"
#include "strat_train.h"

/** A training step: a process for each rank class in the order of the pipeline, a track for each of
 *  its streams, arrows for sends, counters of the memory of each stage and of the busiest links. The
 *  step runs once more where its network knows links, to look at them. NULL and @error when that
 *  fails. */
char *scen_timeline_step(const ScenScenario *scenario, const StratTrainResult *result,
                         GError **error);

/** A run of serving: a process for each replica with what it iterates on, one of requests from their
 *  arrival to their last token, and counters. @served kept its requests and its samples, @log its
 *  iterations. */
char *scen_timeline_serve(const ScenScenario *scenario, const ScenServed *served,
                          const ScenServeLog *log);

/** Months: what the first history of @result lost to which incident when. */
char *scen_timeline_months(const ScenScenario *scenario, const StratCampaignResult *result);

/** An execution trace: a process for each rank, a track for each of its streams, arrows for sends.
 *  (scen_et_report.c) */
char *scen_timeline_et(const ScenScenario *scenario, const StratEtResult *result);

/** A document in memory. */
typedef struct ScenTimeline {
    FILE *file;
    char *text;
    size_t length;
    SimEvents *events;
} ScenTimeline;

/** Begins @timeline, zeroed, and says which scenario it is of. */
void scen_timeline_open(ScenTimeline *timeline, const ScenScenario *scenario);

/** Ends it and returns its text. */
char *scen_timeline_close(ScenTimeline *timeline);

/** Writes @text to @path, which may be a pipe. False and @error when it cannot. */
bool scen_timeline_write(const char *text, const char *path, GError **error);

#endif

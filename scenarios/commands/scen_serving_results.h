/** What a measured serving row printed, as figures that a run has too. */
#ifndef SCEN_SERVING_RESULTS_H
#define SCEN_SERVING_RESULTS_H

#include "scen_metric.h"
#include "scen_row_writer.h"

/** What the figures of a row depend on. */
typedef struct ScenResultSetup {
    int64_t batch;         /* sequences that decode together in the replica, where only that runs */
    int64_t gpus;          /* of the replica */
    int64_t gpus_per_node; /* for figures by the node */
    bool decodes_only;     /* throughput is that of the decoding iterations alone */
} ScenResultSetup;

/** Writes `expect:` with the row's `results`; those that no run has are added to @left_out, each as
 *  "metric: reason". How many were written. */
int scen_serving_results_put(ScenRowWriter *w, const ScenResultSetup *setup, GPtrArray *left_out);

#endif

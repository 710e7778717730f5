/** The traffic of a scenario: generated or replayed. */
#ifndef SCEN_TRAFFIC_H
#define SCEN_TRAFFIC_H

#include "scen_bind.h"
#include "scen_trace.h"
#include "strat_traffic.h"

/** A distribution of lengths as it is written; @length borrows from the lists. */
typedef struct ScenLength {
    StratLength length;
    double mean, median, sigma, cv;
    GArray *edges, *weights, *values; /* of double, or NULL */
} ScenLength;

/** LoRA adapters as they are written. */
typedef struct ScenAdapters {
    int64_t count;
    double zipf;
} ScenAdapters;

/** Zero: nothing. */
typedef struct ScenTraffic {
    StratTraffic spec; /* borrows from the lists below; without a trace */
    int kind;          /* of the key `arrivals` */
    ScenLength input, output, turns, samples;
    GArray *hourly, *priorities, *adapter_shares; /* of double, or NULL */
    ScenAdapters adapters;
    const char *trace; /* path, NULL: generated */
    ScenTraceOptions replay;
    double rate_scale;
} ScenTraffic;

extern const ScenTable scen_traffic_table; /* fills a ScenTraffic */

/** Names of StratLengthKind. */
extern const ScenName scen_length_names[];

/** Fills a ScenLength from a whole number or a map: the .bind of a custom field. */
bool scen_length_bind(ScenBinder *binder, const ScenField *field, const ScenNode *node, void *slot);

/** What scen_length_bind() takes, in words. */
#define SCEN_LENGTH_EXPECTED                                                                       \
    "a whole number from 1 to 1099511627776, or a map {distribution: lognormal, mean: 512, cv: 1}"

/** The same for programs. */
extern const ScenForm scen_length_forms[];

/** Frees the lists of @traffic. */
void scen_traffic_clear(ScenTraffic *traffic);
void scen_length_clear(ScenLength *length);

/** The requests of @traffic, which was bound and must outlive them. NULL and @error when its trace
 *  cannot be read. Free with strat_source_free(). */
StratSource *scen_traffic_source(const ScenTraffic *traffic, uint64_t seed, GError **error);

/** Which keys go with which of several kinds. */
typedef struct ScenKeyRule {
    const char *key;
    unsigned takes; /* bit 1 << kind */
    unsigned needs; /* likewise; part of @takes */
} ScenKeyRule;

/** Adds an error for each key of @map that does not go with @kind, or that it lacks; @chosen names
 *  the kind: "arrivals: poisson". */
void scen_check_keys(ScenBinder *binder, const ScenNode *map, const ScenKeyRule *rules,
                     size_t count, int kind, const char *chosen);

/** Is @node one of @names? False for NULL. */
bool scen_node_is_named(const ScenNode *node, const ScenName *names);

#endif

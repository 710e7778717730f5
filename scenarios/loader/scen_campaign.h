/** What a scenario says of months: what fails, how checkpoints are taken, what happens then. */
#ifndef SCEN_CAMPAIGN_H
#define SCEN_CAMPAIGN_H

#include "strat_campaign.h"
#include "strat_saves.h"

#include <glib.h>

/** A class of faults as it is written. */
typedef struct ScenFaultClass {
    StratFaultClass row;
    double events;            /* counted in what was observed */
    double per_million_hours; /* of one unit; instead of events */
    double per_day;           /* of all units; likewise */
} ScenFaultClass;

/** A bad time, as it is written. */
typedef struct ScenIncident {
    StratFaultIncident row;
    const char *classes[8]; /* none: all */
    size_t class_count;
} ScenIncident;

/** A population of faults: what was observed on some cluster. */
typedef struct ScenFaults {
    const char *name, *source;
    GArray *written;   /* of ScenFaultClass, owned */
    GArray *classes;   /* of StratFaultClass, owned */
    const char *trace; /* CSV of recorded faults: at_s, class, node; NULL: none */
    GArray *records;   /* of StratFaultRecord, owned; NULL: none */
    GArray *bad_times; /* of ScenIncident, owned; NULL: none */
    GArray *incidents; /* of StratFaultIncident, by class; owned */
    GArray *cycles;    /* of StratFaultCycle, owned; NULL: none */
    int64_t observed_gpus, observed_gpus_per_node;
    double observed_s;
    double scale, early_factor, early_s, lemon_fraction, lemon_factor, node_shape;
} ScenFaults;

/** Frees what @faults owns. */
void scen_faults_clear(ScenFaults *faults);

/** @faults at @site, which it borrows. */
StratFaultModel scen_faults_model(const ScenFaults *faults, StratFaultSite site, uint64_t seed);

/** The network that a node reaches its storage by. */
typedef enum ScenStorageNetwork {
    SCEN_STORAGE_FRONTEND,
    SCEN_STORAGE_COMPUTE, /* its NICs are those of the compute network */
} ScenStorageNetwork;

/** Storage as it is written; what was left out is 0. */
typedef struct ScenStorage {
    StratStorage row;
    ScenStorageNetwork network;
    int64_t servers; /* on the compute network; 0: its routes do not count */
} ScenStorage;

typedef struct ScenCampaign {
    bool is_on;    /* the scenario has `campaign:` */
    bool is_alone; /* and no plan: its step time is given, and nothing is simulated for it */
    double step_s; /* healthy, where it is given; 0: simulated */
    ScenFaults faults;
    int64_t nodes_per_leaf, nodes_per_rack;
    const char *policy, *failover, *straggler;
    GPtrArray *recoveries;       /* of const StratRecovery: to compare; owned; NULL: none */
    double false_alarms_per_day; /* a class of faults of their own */
    StratCampaign spec;          /* without faults, site, seed and step */
    bool has_storage; /* checkpoints and restarts take what it takes, where they do not say */
    ScenStorage storage;
    StratSaving saving; /* without its storage */
    bool gives_block, gives_save, gives_load, gives_peer_load;
} ScenCampaign;

/** @storage as @cluster reaches it, whose scale-out network is @fabric. */
StratStorage scen_storage_at(const ScenStorage *storage, const TopoCluster *cluster,
                             const TopoFabricSpec *fabric);

/** Frees what @campaign owns. */
void scen_campaign_clear(ScenCampaign *campaign);

#endif

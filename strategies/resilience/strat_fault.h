/** Fault processes: what breaks, how often, and what that does to a job. */
#ifndef STRAT_FAULT_H
#define STRAT_FAULT_H

#include "sim_random.h"
#include "sim_time.h"
#include "strat_spread.h"

#include <stddef.h>

/** What a fault does to a synchronous job. */
typedef enum StratFaultEffect {
    STRAT_FAULT_STOP,    /* the job dies and everybody sees it */
    STRAT_FAULT_HANG,    /* the job stands until a communicator's timeout */
    STRAT_FAULT_SLOW,    /* the job goes on with a GPU or NIC below its speed, for a time */
    STRAT_FAULT_FLAP,    /* a link is away for a time: a stall, or a hang if that is too long */
    STRAT_FAULT_PLANNED, /* the job is stopped, after a checkpoint */
    STRAT_FAULT_EFFECTS
} StratFaultEffect;

/** Of what a class has one process each; it also says which nodes a fault takes away. */
typedef enum StratFaultUnit {
    STRAT_FAULT_GPU,  /* its node */
    STRAT_FAULT_NODE, /* itself */
    STRAT_FAULT_LEAF, /* the nodes under a leaf switch */
    STRAT_FAULT_RACK, /* the nodes of a rack, a tray, or a power domain */
    STRAT_FAULT_JOB,  /* none */
    STRAT_FAULT_UNITS
} StratFaultUnit;

/** A class of faults: one row. */
typedef struct StratFaultClass {
    const char *name; /* names its stream of random numbers: unlike those of other classes */
    const char *component;
    StratFaultUnit unit;
    StratFaultEffect effect;
    double per_unit_s;        /* faults of one unit in a second */
    double shape;             /* Weibull shape of the gaps of the whole class; 1: exponential */
    double burst_fraction;    /* of the faults follow the one before closely, on the same node */
    double burst_gap_s;       /* mean gap within a burst */
    double swap_fraction;     /* of the faults take their nodes away; the rest needs a restart */
    StratSpread lasts;        /* of slow and flap */
    double clock_fraction;    /* of slow: what is left of a GPU's clock */
    double nic_lost_fraction; /* of slow: what is lost of the bandwidth of a NIC; 1: it is dead */
} StratFaultClass;

/** The job's hardware. */
typedef struct StratFaultSite {
    int64_t gpus, gpus_per_node, nodes_per_leaf, nodes_per_rack;
} StratFaultSite;

/** A fault that was recorded. */
typedef struct StratFaultRecord {
    double at_s;
    uint32_t class_index;
    int64_t node; /* first of those that it takes away */
} StratFaultRecord;

/** All that can fail. Everything is borrowed. */
typedef struct StratFaultModel {
    const StratFaultClass *classes;
    size_t count;
    const StratFaultRecord
        *records; /* by time; every replication meets them, besides what it draws */
    size_t record_count;
    StratFaultSite site;
    uint64_t seed;
    double scale;                 /* of all rates: quality of the fleet */
    double early_factor, early_s; /* rates start at this factor and decay to 1 with this time */
    double lemon_fraction, lemon_factor; /* nodes that fail so much more often than the others */
} StratFaultModel;

/** One fault. Two numbers of @draws for two purposes never meet: sim_random_child(). */
typedef struct StratFault {
    SimTime at;
    uint32_t class_index;
    int64_t node;  /* first of those that it takes away */
    int64_t nodes; /* that it takes away */
    bool is_lemon; /* the node is one that fails more often */
    SimRandom draws;
} StratFault;

/** Faults of one replication, in order of time. */
typedef struct StratFaultHistory StratFaultHistory;

/** History @replication of @model, which is borrowed. The faults of a class are a function of
 * (seed, name of the class, replication) alone. */
StratFaultHistory *strat_fault_history_new(const StratFaultModel *model, uint64_t replication);
void strat_fault_history_free(StratFaultHistory *history);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(StratFaultHistory, strat_fault_history_free)

/** The next fault of any class; false when none is left before SIM_TIME_MAX. O(classes). */
bool strat_fault_history_next(StratFaultHistory *history, StratFault *fault);

/** Units of @unit at @site. */
int64_t strat_fault_units(const StratFaultSite *site, StratFaultUnit unit);

/** Faults of @fault_class a second, once early failures are over. */
double strat_fault_rate(const StratFaultModel *model, const StratFaultClass *fault_class);

/** Those a second that stop the job: effects stop and hang. */
double strat_fault_stop_rate(const StratFaultModel *model);

#endif

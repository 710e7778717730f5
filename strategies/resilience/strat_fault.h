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
    STRAT_FAULT_DEGRADE, /* the job goes on with less bandwidth on a NIC, for a time */
    STRAT_FAULT_LINK,    /* a NIC's link is gone: a hang, or a degradation where there is another */
    STRAT_FAULT_CAP,     /* all GPUs go on at a reduced clock, for a time */
    STRAT_FAULT_SDC,     /* results are wrong from here on, which is found later */
    STRAT_FAULT_PREEMPT, /* nodes are taken away for a time, after a warning */
    STRAT_FAULT_ALARM,   /* nothing is wrong, and a healthy node is taken away */
    STRAT_FAULT_EFFECTS
} StratFaultEffect;

/** Of what a class has one process each; it also says which nodes a fault takes away. */
typedef enum StratFaultUnit {
    STRAT_FAULT_GPU,    /* its node */
    STRAT_FAULT_NODE,   /* itself */
    STRAT_FAULT_LEAF,   /* the nodes under a leaf switch */
    STRAT_FAULT_RACK,   /* the nodes of a rack */
    STRAT_FAULT_DOMAIN, /* as many nodes as the class says: a tray, a power domain, a firmware batch
                         */
    STRAT_FAULT_JOB,    /* none */
    STRAT_FAULT_UNITS
} StratFaultUnit;

enum { STRAT_FAULT_HEIGHTS = 8 };

/** A class of faults: one row. */
typedef struct StratFaultClass {
    const char *name; /* names its stream of random numbers: unlike those of other classes */
    const char *component;
    StratFaultUnit unit;
    int64_t domain_nodes; /* of a domain */
    StratFaultEffect effect;
    double per_unit_s;     /* faults of one unit in a second */
    double per_job_s;      /* of all units together, besides */
    double every_s;        /* instead of both: one each so long, by the calendar; 0: no */
    double dead_fraction;  /* of the units fail once more, early */
    double shape;          /* Weibull shape of the gaps of the whole class; 1: exponential */
    double burst_fraction; /* of the faults follow the one before closely, on the same node */
    double burst_gap_s;    /* mean gap within a burst */
    double height[STRAT_FAULT_HEIGHTS]; /* rates of equal parts of a rack, bottom first */
    int64_t heights;                    /* parts; 0: all alike */
    double swap_fraction; /* of the faults take their nodes away; the rest needs a restart */
    StratSpread lasts;    /* of slow, flap, degrade, link, cap and preempt; planned: standstill */
    StratSpread found_after;  /* of sdc */
    double clock_fraction;    /* of slow and cap: what is left of the clock */
    double nic_lost_fraction; /* of slow and degrade: of a NIC's bandwidth; 1: it is dead */
    double warning_s;         /* of preempt: before it comes */
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

/** A bad time: rates are @factor, 1 or more, times as high. */
typedef struct StratFaultIncident {
    const char *class_name; /* NULL: of all classes */
    double from_s, to_s, factor;
} StratFaultIncident;

/** Rates that swing around their mean, as temperature does in a day or a year. */
typedef struct StratFaultCycle {
    double period_s, peak_s;
    double amplitude; /* over the mean; those of all cycles sum to 1 at most */
} StratFaultCycle;

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
    const StratFaultIncident *incidents;
    size_t incident_count;
    const StratFaultCycle *cycles;
    size_t cycle_count;
    double lemon_fraction, lemon_factor; /* nodes that fail so much more often than the others */
    double node_shape; /* of the Gamma distribution of nodes' rates, for each class; 0: all alike */
} StratFaultModel;

/** One fault. Two numbers of @draws for two purposes never meet: sim_random_child(). */
typedef struct StratFault {
    SimTime at;
    uint32_t class_index;
    int64_t node;  /* first of those that it takes away */
    int64_t nodes; /* that it takes away */
    double excess; /* how much more often its node fails than a sound one */
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

/** Nodes at @site. */
int64_t strat_fault_nodes(const StratFaultSite *site);

/** Nodes of one unit of @fault_class: 0 of the job. */
int64_t strat_fault_width(const StratFaultSite *site, const StratFaultClass *fault_class);

/** Units of @fault_class at @site. */
int64_t strat_fault_units(const StratFaultSite *site, const StratFaultClass *fault_class);

/** Faults of @fault_class a second, once early failures are over and between incidents. */
double strat_fault_rate(const StratFaultModel *model, const StratFaultClass *fault_class);

/** Those a second that stop the job: effects stop, hang, preempt and alarm. */
double strat_fault_stop_rate(const StratFaultModel *model);

#endif

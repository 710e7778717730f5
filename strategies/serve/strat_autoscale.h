/** Autoscaling: how many replicas are up, as the load changes, and what it takes to start one. */
#ifndef STRAT_AUTOSCALE_H
#define STRAT_AUTOSCALE_H

#include "strat_fine.h"
#include "strat_replica.h"

/** The rule by which replicas come and go. */
typedef struct StratAutoscale {
    int64_t least;             /* replicas; 0: no autoscaling, all are up */
    const char *policy;        /* a row of strat_scale_policy_all(); NULL: the first */
    double target;             /* of what the policy measures, a replica */
    double tolerance_fraction; /* off the target that changes nothing */
    double check_s;            /* from one look to the next */
    double cool_down_s;        /* fewer have been enough for so long before one goes */
    double provision_s;        /* until a machine is there */
    double load_s;             /* weights to its GPUs */
    double engine_start_s;     /* then graphs, warm-up */
} StratAutoscale;

/** What a policy sees: replicas that serve. */
typedef struct StratScaleView {
    StratReplica *const *replica;
    size_t count;
    StratFine now;
    double ttft_s;     /* mean of the first tokens since the last look; 0: there were none */
    double slo_ttft_s; /* 0: no such objective */
} StratScaleView;

typedef struct StratScalePolicy {
    const char *name;
    const char *source;
    double (*measure)(const StratScaleView *view); /* a mean over the replicas */
} StratScalePolicy;

const StratScalePolicy *strat_scale_policy_all(size_t *count);

/** The row called @name (NULL: the first); NULL and @error (STRAT_ERROR_UNKNOWN_NAME). */
const StratScalePolicy *strat_scale_policy_by_name(const char *name, GError **error);

/** Replicas that @current ones should be, of at most @most, when a policy measured @measure on the
 *  @serving ones of them. */
int64_t strat_autoscale_desired(const StratAutoscale *how, double measure, int64_t serving,
                                int64_t current, int64_t most);

typedef enum StratReplicaState {
    STRAT_REPLICA_DOWN,
    STRAT_REPLICA_STARTING, /* serves once its time has come */
    STRAT_REPLICA_SERVING,
    STRAT_REPLICA_DRAINING, /* takes no requests and goes when it has none */
} StratReplicaState;

/** One replica's place. */
typedef struct StratScaleSlot {
    StratReplicaState state;
    StratFine since, ready; /* up since; serving since */
} StratScaleSlot;

/** The state of a run's autoscaling: of @count replicas. */
typedef struct StratScaler {
    const StratAutoscale *how;
    const StratScalePolicy *policy;
    StratScaleSlot *slot;
    size_t count;
    StratFine next;      /* look */
    bool is_low;         /* fewer have been enough, */
    StratFine low_since; /* since then, */
    int64_t low_most;    /* and at most so many were wanted */
    double seen_ttft_s;  /* sums of first tokens at the last look */
    int64_t seen_first_tokens;
    StratFine up, starting; /* replica time of those that have gone, and of all that started */
    int64_t ups, downs, peak;
} StratScaler;

/** Fills @scaler for @count replicas under @how, which is borrowed; @how->least of them serve. */
bool strat_scaler_init(StratScaler *scaler, const StratAutoscale *how, size_t count,
                       GError **error);
void strat_scaler_clear(StratScaler *scaler);

/** Those of @replica[0 .. count) that take requests at @now, in @open, and how many. */
size_t strat_scaler_open(StratScaler *scaler, StratReplica *const *replica, StratFine now,
                         StratReplica **open);

/** Looks at @replica[0 .. count) at @scaler->next and starts or drains some; @ttft_s and
 *  @first_tokens are sums from the start of the run. */
void strat_scaler_check(StratScaler *scaler, StratReplica *const *replica, double ttft_s,
                        int64_t first_tokens, double slo_ttft_s);

/** Whether replica @index, which drains and has no request left, is down from @now on. */
bool strat_scaler_settle(StratScaler *scaler, size_t index, const StratReplica *replica,
                         StratFine now);

/** Replica time that was up, until @end, and of it that was starting, in seconds. */
void strat_scaler_sums(const StratScaler *scaler, StratFine end, double *up_s, double *starting_s);

#endif

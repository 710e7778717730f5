/** How a job learns that something is wrong, and how often it is mistaken. */
#ifndef STRAT_DETECT_H
#define STRAT_DETECT_H

#include "sim_time.h"
#include "strat_fault.h"

/** Periods, thresholds and mistakes. Times of 0: that means is not there. */
typedef struct StratDetection {
    double heartbeat_s;     /* period of each node's */
    int64_t misses;         /* in a row that count as a death; 1 or more */
    double health_check_s;  /* period */
    double timeout_s;       /* of communicators */
    double recall;          /* share of faults that heartbeat, check and step monitor can see */
    double slow_threshold;  /* of a step over a healthy one, above 1; 0: no step monitor */
    double slow_window_s;   /* for which steps must be so long */
    double wrong_node;      /* share of evictions that take a healthy node instead */
    int64_t over_evicted;   /* healthy nodes that go with each evicted one */
    StratSpread comes_back; /* a fault whose node stayed, after the restart */
    double restart_failure; /* share of restarts that fail */
    double backoff_s;       /* before the second restart in a row; doubles with each */
    int64_t most_restarts;  /* in a row, until a person looks; 0: nobody does */
    StratSpread manual;     /* which takes so long, and mends it */
    double replay_fraction; /* of the steps are computed twice, which tells corruption at once */
} StratDetection;

/** What follows a recovery. */
typedef struct StratRelapse {
    bool comes_back;
    SimTime wait;  /* before the restart: backoff, or the person */
    SimTime after; /* the restart, until it comes back */
} StratRelapse;

/** Seconds from @fault to its notice, where the job died (or stands, @hangs). Without heartbeat,
 *  health check and timeout, or when none of them tells, they are drawn from @given. */
double strat_detect_s(const StratDetection *detection, const StratSpread *given,
                      const StratFault *fault, bool hangs);

/** Whether the step monitor can see @fault, which lasts for @span; the notice comes after
 *  slow_window_s. */
bool strat_detect_sees_slow(const StratDetection *detection, const StratFault *fault, SimTime span);

/** Whether @fault, met the @attempt-th time in a row (0 first), comes back after its recovery;
 *  @evicts: a node was taken away for it. */
StratRelapse strat_detect_relapse(const StratDetection *detection, const StratFault *fault,
                                  int64_t attempt, bool evicts);

#endif

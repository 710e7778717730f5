/** Arrival processes: when requests (or conversations) start. */
#ifndef STRAT_TRAFFIC_ARRIVALS_H
#define STRAT_TRAFFIC_ARRIVALS_H

#include "sim_random.h"

#include <stdbool.h>
#include <stdint.h>

typedef enum StratArrivalKind {
    STRAT_ARRIVALS_ALL_AT_ONCE,
    STRAT_ARRIVALS_CONSTANT,
    STRAT_ARRIVALS_POISSON,
    STRAT_ARRIVALS_GAMMA,
    STRAT_ARRIVALS_WEIBULL,
    STRAT_ARRIVALS_ON_OFF,
    STRAT_ARRIVALS_DIURNAL,
    STRAT_ARRIVALS_CLOSED_LOOP, /* users who send again when they are answered */
} StratArrivalKind;

/** Hours of a day's factors. */
enum { STRAT_ARRIVALS_HOURS = 24 };

/** One process. @rate_per_s is the mean over long times of every kind that has a rate. */
typedef struct StratArrivals {
    StratArrivalKind kind;
    double rate_per_s;
    double cv;            /* gamma, weibull: of the gaps, above 0 */
    double on_s, off_s;   /* on-off: mean length of a period, both above 0 */
    double on_factor;     /* on-off: rate when on over the mean rate; at most (on + off) / on,
                             which is silence when off, and which 0 stands for */
    double period_s;      /* diurnal: a day */
    double start_s;       /* diurnal: time of the day at which the run starts */
    double peak_s;        /* diurnal: time of the day of the highest rate, of a sinusoid */
    double amplitude;     /* diurnal: of the sinusoid over its mean, 0 to 1 */
    const double *hourly; /* diurnal: STRAT_ARRIVALS_HOURS weights instead; borrowed, or NULL */
    int64_t concurrency;  /* closed loop: users */
} StratArrivals;

/** State of a process: a value, nothing to free. */
typedef struct StratArrivalClock {
    const StratArrivals *process;
    SimRandom gaps, states;
    double now_s;
    int64_t count;       /* arrivals so far */
    double shape, scale; /* of gamma and weibull gaps */
    double highest;      /* diurnal: greatest factor */
    double average;      /* diurnal: of the hourly weights */
    bool on;
    double state_ends_s;
} StratArrivalClock;

/** The process at its start; @process is borrowed. Its gaps are the stream "arrivals" of @seed. */
StratArrivalClock strat_arrivals_start(const StratArrivals *process, uint64_t seed);

/** The next arrival, in s since the start, never before the last one; INFINITY: there is none. */
double strat_arrivals_next(StratArrivalClock *clock);

#endif

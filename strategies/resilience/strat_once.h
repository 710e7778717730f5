/** Shared by the files of strat_campaign_once.c: the state of one history, and what moves it. */
#ifndef STRAT_ONCE_H
#define STRAT_ONCE_H

#include "strat_campaign_once.h"
#include "strat_condition.h"
#include "strat_spare_pool.h"

/** Purposes of a fault's random numbers. Each has a stream of its own, so that a purpose more does
 *  not change the others' draws: append, never insert. */
typedef enum StratDraw {
    STRAT_DRAW_SWAP,
    STRAT_DRAW_DETECT,
    STRAT_DRAW_RESTART,
    STRAT_DRAW_REPAIR,
    STRAT_DRAW_ALLOCATE,
    STRAT_DRAW_LASTS,
    STRAT_DRAW_LUCK,
    STRAT_DRAW_KEEP,
    STRAT_DRAW_PLACE
} StratDraw;

enum { STRAT_ONCE_PHASES = 6 };

/** A part of a recovery: time that is booked in one bucket. */
typedef struct StratPhase {
    StratLost bucket;
    SimTime span;
} StratPhase;

typedef struct StratOnce {
    const StratCampaignPlan *plan;
    StratCampaignSample *sample;
    StratProgress progress;
    SimTime now;
    StratPhase phases[STRAT_ONCE_PHASES]; /* of the recovery under way, first first */
    int phase, phase_count;
    int64_t nodes_lost; /* in it and those that it interrupted */
    StratCondition condition;
    StratSparePool pool;
    GArray *returns; /* of SimTime: replicas that come back, soonest first */
} StratOnce;

/** Seconds as time, at most some 146 years. */
SimTime strat_once_ns(double seconds);

/** A duration of @fault, and a number of [0, 1). */
SimTime strat_once_draw(const StratSpread *spread, const StratFault *fault, StratDraw purpose);
double strat_once_luck(const StratFault *fault, StratDraw purpose);

/** Puts @at in its place in @times (of SimTime). */
void strat_once_insert(GArray *times, SimTime at);

/** Appends a phase to the recovery under way, unless @span is 0; or drops all that are left. */
void strat_once_phase(StratOnce *once, StratLost bucket, SimTime span);
void strat_once_clear_phases(StratOnce *once);

/** Sets off the recovery from @fault, noticed after @detection, which takes @swapped nodes away. */
void strat_once_recover(StratOnce *once, const StratFault *fault, const StratSpread *detection,
                        int64_t swapped);

/** What @fault, which comes now, does. */
void strat_once_handle(StratOnce *once, const StratFault *fault);

#endif

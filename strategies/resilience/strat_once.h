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
    STRAT_DRAW_SEEN,
    STRAT_DRAW_BEAT,
    STRAT_DRAW_CHECK,
    STRAT_DRAW_WRONG,
    STRAT_DRAW_COMES_BACK,
    STRAT_DRAW_CRASH,
    STRAT_DRAW_MANUAL,
    STRAT_DRAW_FOUND,
    STRAT_DRAW_AGAIN, /* child with the draws of the next attempt */
    STRAT_DRAW_PLACE
} StratDraw;

enum { STRAT_ONCE_PHASES = 8 };

/** A part of a recovery: time that is booked in one bucket. */
typedef struct StratPhase {
    StratLost bucket;
    SimTime span;
} StratPhase;

/** Replicas or nodes that come back. */
typedef struct StratReturn {
    SimTime at;
    int64_t node, nodes; /* first and how many; 0: a replica */
    SimTime save, stand; /* all save and stand still when they do */
} StratReturn;

/** What will be noticed, or come back. */
typedef enum StratNoticeKind {
    STRAT_NOTICE_AGAIN,     /* the fault comes back after its recovery */
    STRAT_NOTICE_SLOW,      /* the step monitor's window is over */
    STRAT_NOTICE_SDC,       /* corruption is found */
    STRAT_NOTICE_STRAGGLER, /* it is time to do something about a slow part */
} StratNoticeKind;

typedef struct StratNotice {
    SimTime at;
    StratNoticeKind kind;
    StratFault fault;
    int64_t attempt;             /* of again: recoveries from it before */
    SimTime until;               /* of slow: when it is over by itself */
    SimTime work;                /* of SDC: productive time when it came */
    SimTime clean;               /* of SDC: of that, what was safe in storage */
    int64_t saves;               /* of SDC: that were safe then */
    StratStragglerAction action; /* of straggler: what is due */
    double lost_s;               /* and what was lost to it until then */
} StratNotice;

/** A slow part that something was done about. */
typedef struct StratRelief {
    SimTime since, until;
    uint32_t class_index;
    double factor; /* by which the job is faster for it */
} StratRelief;

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
    int64_t nodes_rebooted; /* likewise, and those that came back without their memory */
    GArray *returns;        /* of StratReturn, soonest first */
    GArray *notices;        /* of StratNotice, soonest first */
    GArray *reliefs;        /* of StratRelief */
} StratOnce;

/** A duration of @fault, and a number of [0, 1). */
SimTime strat_once_draw(const StratSpread *spread, const StratFault *fault, StratDraw purpose);
double strat_once_luck(const StratFault *fault, StratDraw purpose);

/** Speed of the job's steps over that of healthy ones, the time of the day aside; *@until is
 * lowered to when it changes by itself. */
double strat_once_speed(StratOnce *once, SimTime *until);

/** The GPU that @fault, of a GPU or a node, is about. */
int64_t strat_once_gpu(const StratOnce *once, const StratFault *fault);

/** Puts @at in its place in @times (of SimTime). */
void strat_once_insert(GArray *times, SimTime at);

/** Appends a phase to the recovery under way, unless @span is 0; or drops all that are left. */
void strat_once_phase(StratOnce *once, StratLost bucket, SimTime span);
void strat_once_clear_phases(StratOnce *once);

/** Sets off the recovery from @fault, noticed after @detection, which takes @swapped nodes away. */
void strat_once_recover(StratOnce *once, const StratFault *fault, const StratSpread *detection,
                        int64_t swapped);

/** Stops the job for @fault, noticed after @detection_s, for the @attempt-th time in a row (0
 * first), and sets off the recovery. */
void strat_once_stop(StratOnce *once, const StratFault *fault, double detection_s, int64_t attempt);

/** The job goes on slower for @fault, which lasts until @until: the step monitor has just told
 * which GPU, node or NIC it is. Decides what to do about it. */
void strat_once_slow_noticed(StratOnce *once, const StratFault *fault, SimTime until);

/** By how much the job is faster now for what was done about slow parts; *@until is lowered to when
 *  that changes by itself. */
double strat_once_relief(StratOnce *once, SimTime *until);

/** Does what @notice says is due, or, when the job is busy recovering for @busy, after that. */
void strat_once_straggler_due(StratOnce *once, const StratNotice *notice, SimTime busy);

/** What is left of the recovery under way. */
SimTime strat_once_recovery_left(const StratOnce *once);

/** Puts @notice in its place in the queue. */
void strat_once_await(StratOnce *once, const StratNotice *notice);

/** Lets the first notice, which is due, happen. */
void strat_once_notice(StratOnce *once);

/** Drops corruption that went away with work that was lost. */
void strat_once_forget_healed(StratOnce *once);

/** What @fault, which comes now, does. */
void strat_once_handle(StratOnce *once, const StratFault *fault);

#endif

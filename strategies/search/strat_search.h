/** Finding the best of many candidates without trying them all: lower bounds, many hands, one
 *  answer. */
#ifndef STRAT_SEARCH_H
#define STRAT_SEARCH_H

#include "sim_farm.h"

#include <stddef.h>

typedef enum StratVerdict {
    STRAT_UNTRIED, /* its bound is above what a better one costs, or the search was stopped */
    STRAT_MEETS,
    STRAT_FAILS, /* tried, and it does not do what is asked */
} StratVerdict;

/** One candidate. */
typedef struct StratTrial {
    double bound; /* its objective is not below this; the caller's */
    StratVerdict verdict;
    double objective; /* of one that meets what is asked: the less the better */
    double tie;       /* the less the better among equal objectives */
} StratTrial;

/** A search over @count candidates; all is borrowed. */
typedef struct StratSearch {
    StratTrial *trial;
    size_t count;
    double reach; /* 1 or more: tries also what may cost so many times the best */
    const SimFarm *farm;
    bool exhaustive; /* tries all, whatever their bounds */
    void *ctx;
    /** Tries candidate @index and returns what came of it, for take. Called from several threads at
     *  once, and in any process of the farm. */
    GBytes *(*evaluate)(void *ctx, size_t index);
    /** Fills verdict and objective of candidate @index from what evaluate returned. One thread. */
    void (*take)(void *ctx, size_t index, GBytes *bytes, StratTrial *trial);
    /** Whether candidate @index can be left out for what others turned out to be. NULL: what the bound
     *  leaves out is not wanted at all; else all are tried by rising bounds that are within reach or
     *  not left out here. Called between trials, by one thread. */
    bool (*rules_out)(void *ctx, size_t index);
    /** Whether to break off; NULL: never. Called from several threads. */
    bool (*stops)(void *ctx);
    /** @done trials are over, at most @most are left; NULL: nobody asks. One thread. */
    void (*progress)(void *ctx, size_t done, size_t most);
} StratSearch;

/** Tries candidates by their bounds, the least first. The index of the best one that meets what is
 *  asked, of equals the first; @search->count when none does. The same trials and the same answer
 *  whatever the farm. */
size_t strat_search_run(const StratSearch *search);

/** Sets @kept[i] for each of @count points that no other beats: @value holds @axes numbers of each,
 *  the less the better; a point beats another when it is nowhere worse and somewhere better. Of
 *  equal points all are kept. */
void strat_search_pareto(const double *value, size_t count, size_t axes, bool *kept);

/** Steps @digit, one number below @size for each of @axes, to the next combination, the last axis
 *  first; false after the last one, and all are 0 again. */
bool strat_search_next(size_t *digit, const size_t *size, size_t axes);

#endif

/** LoRA adapters on a GPU: a few slots, of which running sequences hold some. */
#ifndef STRAT_ADAPTERS_H
#define STRAT_ADAPTERS_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct StratAdapters StratAdapters;

/** @slots empty slots, at least 1. */
StratAdapters *strat_adapters_new(int64_t slots);
void strat_adapters_free(StratAdapters *adapters);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(StratAdapters, strat_adapters_free)

/** Whether a sequence of @adapter (-1: of none) can run beside those that do. O(slots). */
bool strat_adapters_fit(const StratAdapters *adapters, int64_t adapter);

/** A sequence of @adapter, which fits, starts to run. True when the adapter has to be brought in:
 * it takes an empty slot or the one unused for the longest time. */
bool strat_adapters_hold(StratAdapters *adapters, int64_t adapter);

/** That sequence runs no more; the adapter stays in its slot. */
void strat_adapters_release(StratAdapters *adapters, int64_t adapter);

#endif

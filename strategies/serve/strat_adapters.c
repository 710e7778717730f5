/*
 * Slots for LoRA adapters (max_loras of vLLM, max_loras_per_batch of SGLang): the sequences of one
 * iteration use at most so many different adapters, which are on the GPU; one that is not there yet
 * is brought into a slot that nobody uses, the longest unused first. Requests without an adapter
 * need no slot.
 *
 * Left out: ranks of adapters, a cache of them in host memory.
 */
#include "strat_adapters.h"

typedef struct Slot {
    int64_t adapter; /* -1: empty */
    int64_t users;
    int64_t used; /* when somebody last took hold of it */
} Slot;

struct StratAdapters {
    Slot *slot;
    int64_t slots;
    int64_t clock;
};

StratAdapters *strat_adapters_new(int64_t slots)
{
    StratAdapters *adapters = g_new0(StratAdapters, 1);
    adapters->slot = g_new0(Slot, slots);
    adapters->slots = slots;
    for (int64_t i = 0; i < slots; i++)
        adapters->slot[i].adapter = -1;
    return adapters;
}

void strat_adapters_free(StratAdapters *adapters)
{
    if (!adapters)
        return;
    g_free(adapters->slot);
    g_free(adapters);
}

/* The slot of @adapter, else the longest unused one that nobody holds, else NULL. */
static Slot *find(const StratAdapters *adapters, int64_t adapter)
{
    Slot *free_slot = NULL;
    for (int64_t i = 0; i < adapters->slots; i++) {
        Slot *slot = &adapters->slot[i];
        if (slot->adapter == adapter)
            return slot;
        if (slot->users == 0 && (!free_slot || slot->used < free_slot->used))
            free_slot = slot;
    }
    return free_slot;
}

bool strat_adapters_fit(const StratAdapters *adapters, int64_t adapter)
{
    return adapter < 0 || find(adapters, adapter) != NULL;
}

bool strat_adapters_hold(StratAdapters *adapters, int64_t adapter)
{
    if (adapter < 0)
        return false;
    Slot *slot = find(adapters, adapter);
    bool loads = slot->adapter != adapter;
    slot->adapter = adapter;
    slot->users++;
    slot->used = ++adapters->clock;
    return loads;
}

void strat_adapters_release(StratAdapters *adapters, int64_t adapter)
{
    if (adapter >= 0)
        find(adapters, adapter)->users--;
}

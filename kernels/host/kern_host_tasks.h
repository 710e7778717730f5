/** What is measured, and how one call of it runs. Private to kern_host_bench*.c. */
#ifndef KERN_HOST_TASKS_H
#define KERN_HOST_TASKS_H

#include "kern_host_bench.h"
#include "kern_host_team.h"

/** Memory that calls work on. */
typedef struct KernHostArena {
    const KernHostBlas *blas;
    KernHostTeam *team;
    float *weights;         /* never written, so large that no cache keeps it from call to call */
    float *left;            /* activations */
    float *area;            /* written */
    uint16_t *halves;       /* bf16 operands, NULL where there are none */
    float *cosines, *sines; /* of rotary angles */
    float *chances;         /* rows that sum to one: what a softmax hands to its backward */
    size_t weights_count, left_count, area_count;
    size_t out; /* where the next output goes */
    size_t at;  /* where the next weights are taken */
} KernHostArena;

/** Appends the tasks (KernHostTask) to @tasks. */
void kern_host_tasks_products(GArray *tasks, double largest_flop, bool bf16);
void kern_host_tasks_loops(GArray *tasks);

/** Fills the tables that loops read; g_free() them. */
void kern_host_arena_tables(KernHostArena *arena);

/** Size in bytes of level @level of the loops. */
double kern_host_level_bytes(size_t level);

/** Runs @task once. */
void kern_host_run_product(KernHostArena *arena, const KernHostTask *task);
void kern_host_run_loop(KernHostArena *arena, const KernHostTask *task);

#endif

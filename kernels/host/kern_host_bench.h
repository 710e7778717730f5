/** Measuring what kern_host_profile.h holds. */
#ifndef KERN_HOST_BENCH_H
#define KERN_HOST_BENCH_H

#include "kern_gemm.h"
#include "kern_host_blas.h"
#include "kern_host_machine.h"

#include <stddef.h>

typedef enum KernHostKind {
    KERN_HOST_PRODUCT, /* through the BLAS */
    KERN_HOST_LOOP,    /* of kern_host_loops.h */
    KERN_HOST_STREAM,  /* bandwidth */
} KernHostKind;

typedef enum KernHostStream {
    KERN_HOST_STREAM_READ,
    KERN_HOST_STREAM_COPY,
    KERN_HOST_STREAM_TRIAD,
    KERN_HOST_STREAM_COUNT
} KernHostStream;

/** One sample: seconds a call, and how long the reference took beside it. */
typedef struct KernHostSample {
    double seconds, reference_s;
} KernHostSample;

/** One thing to measure, and its samples. */
typedef struct KernHostTask {
    KernHostKind kind;
    KernGemmShape shape;    /* PRODUCT */
    KernHostSides sides;    /* PRODUCT */
    bool activations;       /* PRODUCT: operands in cache, or keys and values for one row */
    KernHostPass pass;      /* LOOP */
    bool backward;          /* LOOP */
    size_t level;           /* LOOP: index of its size */
    KernHostStream stream;  /* STREAM */
    size_t rows, width;     /* LOOP */
    double bytes;           /* LOOP, STREAM: moved */
    int calls;              /* of a sample */
    GArray *samples;        /* of KernHostSample */
    double seconds;         /* settled: lower quartile of what was kept */
    double spread_fraction; /* quartile to quartile, over the median */
    size_t rejected;        /* samples that were not kept */
} KernHostTask;

typedef struct KernHostBench KernHostBench;

/** Lists products of at most @largest_flop, loops and streams. Both arguments are borrowed. The
 *  process is confined already. */
KernHostBench *kern_host_bench_new(const KernHostBlas *blas, const KernHostMachine *machine,
                                   int threads, double largest_flop);
void kern_host_bench_free(KernHostBench *bench);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(KernHostBench, kern_host_bench_free)

size_t kern_host_bench_count(const KernHostBench *bench);
const KernHostTask *kern_host_bench_task(const KernHostBench *bench, size_t index);

/** Takes one more sample of task @index. */
void kern_host_bench_sample(KernHostBench *bench, size_t index);

/** Settles the seconds and the spread of all tasks from their samples so far. */
void kern_host_bench_settle(KernHostBench *bench);

/** Seconds of the reference now: a small product that fits the caches. */
double kern_host_bench_reference_s(KernHostBench *bench);

/** Seconds of the reference when nothing disturbed it, from all its runs so far. */
double kern_host_bench_undisturbed_s(const KernHostBench *bench);

/** Share of the reference's runs that were near that. */
double kern_host_bench_calm_fraction(const KernHostBench *bench);

/** The lower quartile of @samples (of KernHostSample): of those that were taken while the reference
 *  was near @undisturbed_s, less those beyond three scaled median deviations from the median. Sorts
 *  them. @spread_fraction and @rejected as in KernHostTask. */
double kern_host_settle(GArray *samples, double undisturbed_s, double *spread_fraction,
                        size_t *rejected);

/** A buffer of @count floats between -1/2 and 1/2, drawn by a fixed rule; g_free() it. */
float *kern_host_buffer(size_t count);

#endif

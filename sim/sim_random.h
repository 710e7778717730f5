/** Random numbers that depend on (seed, name, index) only. */
#ifndef SIM_RANDOM_H
#define SIM_RANDOM_H

#include <stdint.h>

/** One stream of random numbers: a value, copied to fork it, nothing to free. */
typedef struct SimRandom {
    uint64_t key;     /* the seed */
    uint64_t stream;  /* hash of the stream's name */
    uint64_t counter; /* 64-bit numbers drawn so far */
    uint64_t held;    /* second half of the last block */
    double spare;     /* second half of the last pair of normals, or NaN */
} SimRandom;

/** The stream called @name ("arrivals", "gpu/17/failures") of @seed. Streams of other names or
 *  seeds are independent of it: adding a consumer shifts no other. */
SimRandom sim_random_stream(uint64_t seed, const char *name);

/** Stream @index below @stream, whatever was drawn from either: one for each request or session, so
 *  that the draws of one do not shift those of the next. */
SimRandom sim_random_child(const SimRandom *stream, uint64_t index);

/** The next 64 random bits. */
uint64_t sim_random_next(SimRandom *stream);

/** Uniform on [0, 1), a multiple of 2^-53. */
double sim_random_uniform(SimRandom *stream);

/** Uniform on 0 .. @bound - 1, without bias; @bound is at least 1. */
uint64_t sim_random_below(SimRandom *stream, uint64_t bound);

/** Exponential of mean @mean, in the unit of @mean. */
double sim_random_exponential(SimRandom *stream, double mean);

/** Normal of mean @mean and standard deviation @deviation, in their unit. */
double sim_random_normal(SimRandom *stream, double mean, double deviation);

/** The Philox4x32-10 block of @counter under @key, in place: for tests against the published
 *  answers. */
void sim_random_philox(uint32_t counter[4], const uint32_t key[2]);

#endif

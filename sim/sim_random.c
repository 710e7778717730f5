/*
 * Counter-based random numbers: Philox4x32-10 (Salmon, Moraes, Dror, Shaw, "Parallel Random
 * Numbers: As Easy as 1, 2, 3", SC 2011), which passes BigCrush. A number is a pure function of
 * (seed, stream name, index): the seed is the 64-bit key, the 128-bit counter is
 *
 *     hash(name) (64 bits) | index of the block (64 bits)
 *
 * so two streams of a seed never meet unless two names share a 64-bit hash (FNV-1a, then the
 * finaliser of SplitMix64, because FNV alone leaves the names' similarity in the low bits).
 *
 * Exponential by inversion, -mean ln(1 - u); normal by Marsaglia's polar method (1964). Both take
 * the logarithm of sim_math.h and sqrt, which IEEE 754 fixes: draws are the same bits everywhere.
 */
#include "sim_random.h"

#include "sim_hash.h"
#include "sim_math.h"

#include <glib.h>
#include <math.h>

enum {
    ROUNDS = 10,
};

/* Multipliers and Weyl increments of the paper, section 3.3 (golden ratio, sqrt(3) - 1). */
#define PHILOX_M0 UINT32_C(0xD2511F53)
#define PHILOX_M1 UINT32_C(0xCD9E8D57)
#define PHILOX_W0 UINT32_C(0x9E3779B9)
#define PHILOX_W1 UINT32_C(0xBB67AE85)

static uint64_t hash_name(const char *name)
{
    uint64_t hash = UINT64_C(0xCBF29CE484222325);
    for (const char *c = name; *c != '\0'; c++)
        hash = (hash ^ (uint8_t)*c) * UINT64_C(0x100000001B3);
    hash = (hash ^ (hash >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    hash = (hash ^ (hash >> 27)) * UINT64_C(0x94D049BB133111EB);
    return hash ^ (hash >> 31);
}

void sim_random_philox(uint32_t counter[4], const uint32_t key[2])
{
    uint32_t k0 = key[0];
    uint32_t k1 = key[1];
    for (int i = 0; i < ROUNDS; i++) {
        uint64_t p0 = (uint64_t)PHILOX_M0 * counter[0];
        uint64_t p1 = (uint64_t)PHILOX_M1 * counter[2];
        counter[0] = (uint32_t)(p1 >> 32) ^ counter[1] ^ k0;
        counter[1] = (uint32_t)p1;
        counter[2] = (uint32_t)(p0 >> 32) ^ counter[3] ^ k1;
        counter[3] = (uint32_t)p0;
        k0 += PHILOX_W0;
        k1 += PHILOX_W1;
    }
}

SimRandom sim_random_stream(uint64_t seed, const char *name)
{
    return (SimRandom){.key = seed, .stream = hash_name(name), .spare = NAN};
}

SimRandom sim_random_child(const SimRandom *stream, uint64_t index)
{
    uint64_t name = sim_hash_mix(stream->stream ^ sim_hash_mix(index));
    return (SimRandom){.key = stream->key, .stream = name, .spare = NAN};
}

uint64_t sim_random_next(SimRandom *stream)
{
    uint64_t index = stream->counter++;
    if (index % 2 == 1)
        return stream->held;
    uint64_t block = index / 2;
    uint32_t words[4] = {(uint32_t)block, (uint32_t)(block >> 32), (uint32_t)stream->stream,
                         (uint32_t)(stream->stream >> 32)};
    const uint32_t key[2] = {(uint32_t)stream->key, (uint32_t)(stream->key >> 32)};
    sim_random_philox(words, key);
    stream->held = ((uint64_t)words[3] << 32) | words[2];
    return ((uint64_t)words[1] << 32) | words[0];
}

double sim_random_uniform(SimRandom *stream)
{
    return (double)(sim_random_next(stream) >> 11) * 0x1p-53;
}

uint64_t sim_random_below(SimRandom *stream, uint64_t bound)
{
    g_assert(bound > 0);
    /* Numbers under 2^64 mod bound are drawn again: the rest is a whole number of bounds. */
    uint64_t uneven = (0 - bound) % bound;
    uint64_t draw = sim_random_next(stream);
    while (draw < uneven)
        draw = sim_random_next(stream);
    return draw % bound;
}

double sim_random_exponential(SimRandom *stream, double mean)
{
    return -mean * sim_math_log(1.0 - sim_random_uniform(stream));
}

double sim_random_normal(SimRandom *stream, double mean, double deviation)
{
    double z = stream->spare;
    stream->spare = NAN;
    if (isnan(z)) {
        double x, y, square;
        do {
            x = 2.0 * sim_random_uniform(stream) - 1.0;
            y = 2.0 * sim_random_uniform(stream) - 1.0;
            square = x * x + y * y;
        } while (square >= 1.0 || square == 0.0);
        double scale = sqrt(-2.0 * sim_math_log(square) / square);
        z = x * scale;
        stream->spare = y * scale;
    }
    return mean + deviation * z;
}

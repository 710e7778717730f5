/*
 * A histogram whose bins follow floating point: 512 equal bins in each octave, so a bin is at most
 * 2^-9 of its lower edge wide and its middle at most 0.1 % off anything in it. (The idea of
 * HdrHistogram, Tene 2012, with binary mantissas.) The bin of a number is its exponent and the
 * first nine bits of its mantissa: no logarithm. Octaves are kept from the smallest to the largest
 * seen, 4 KiB each. Zeros, and what is below 2^-50, are counted apart.
 *
 * Left out: exact order inside a bin. Quantiles are of bin middles, cut to the extremes.
 */
#include "strat_digest.h"

#include <math.h>
#include <string.h>

enum {
    BIN_BITS = 9,
    BINS = 1 << BIN_BITS, /* of an octave */
    MANTISSA_BITS = 52,
};

struct StratDigest {
    int64_t *bin;  /* of octaves first .. first + octaves - 1 */
    int64_t first; /* biased exponent of bin[0] */
    int64_t octaves;
    int64_t zeros;
    int64_t count;
    double sum, min, max;
};

StratDigest *strat_digest_new(void)
{
    return g_new0(StratDigest, 1);
}

void strat_digest_free(StratDigest *digest)
{
    if (!digest)
        return;
    g_free(digest->bin);
    g_free(digest);
}

/* Exponent and leading mantissa bits of a positive number: consecutive for consecutive bins. */
static int64_t code_of(double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return (int64_t)(bits >> (MANTISSA_BITS - BIN_BITS));
}

/* Lower edge of the bin @code. */
static double edge_of(int64_t code)
{
    uint64_t bits = (uint64_t)code << (MANTISSA_BITS - BIN_BITS);
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* Makes room for the octave @octave. */
static void widen(StratDigest *digest, int64_t octave)
{
    int64_t low = digest->octaves == 0 ? octave : MIN(digest->first, octave);
    int64_t high = digest->octaves == 0 ? octave : MAX(digest->first + digest->octaves - 1, octave);
    int64_t *bin = g_new0(int64_t, (size_t)((high - low + 1) * BINS));
    if (digest->octaves > 0)
        memcpy(bin + (digest->first - low) * BINS, digest->bin,
               (size_t)(digest->octaves * BINS) * sizeof *bin);
    g_free(digest->bin);
    digest->bin = bin;
    digest->first = low;
    digest->octaves = high - low + 1;
}

static void count_in(StratDigest *digest, double value, int64_t count)
{
    if (value < 0x1p-50) {
        digest->zeros += count;
        return;
    }
    int64_t code = code_of(value);
    int64_t octave = code >> BIN_BITS;
    if (octave < digest->first || octave >= digest->first + digest->octaves)
        widen(digest, octave);
    digest->bin[code - digest->first * BINS] += count;
}

static void extend(StratDigest *digest, double low, double high, double sum, int64_t count)
{
    digest->min = digest->count == 0 ? low : fmin(digest->min, low);
    digest->max = digest->count == 0 ? high : fmax(digest->max, high);
    digest->sum += sum;
    digest->count += count;
}

void strat_digest_add(StratDigest *digest, double value, int64_t count)
{
    g_assert(value >= 0.0 && count >= 0);
    if (count == 0)
        return;
    count_in(digest, value, count);
    extend(digest, value, value, value * (double)count, count);
}

void strat_digest_add_series(StratDigest *digest, double first, double step, int64_t terms,
                             int64_t count)
{
    if (terms <= 0 || count == 0)
        return;
    double last = first + step * (double)(terms - 1);
    g_assert(first >= 0.0 && last >= 0.0 && count > 0);
    for (int64_t i = 0; i < terms;) {
        double value = first + step * (double)i;
        int64_t next = terms;
        if (step != 0.0 && value >= 0x1p-50) {
            int64_t code = code_of(value);
            double reach = step > 0.0 ? (edge_of(code + 1) - first) / step
                                      : floor((edge_of(code) - first) / step) + 1.0;
            next = reach < (double)terms ? MAX((int64_t)ceil(reach), i + 1) : terms;
        }
        count_in(digest, value, (next - i) * count);
        i = next;
    }
    extend(digest, fmin(first, last), fmax(first, last),
           (double)count * (double)terms * (first + last) / 2.0, terms * count);
}

int64_t strat_digest_count(const StratDigest *digest)
{
    return digest->count;
}

double strat_digest_mean(const StratDigest *digest)
{
    return digest->count == 0 ? 0.0 : digest->sum / (double)digest->count;
}

double strat_digest_min(const StratDigest *digest)
{
    return digest->min;
}

double strat_digest_max(const StratDigest *digest)
{
    return digest->max;
}

/* The number of rank @rank (0: the smallest) among them all. */
static double at_rank(const StratDigest *digest, int64_t rank)
{
    if (rank <= 0)
        return digest->min;
    if (rank >= digest->count - 1)
        return digest->max;
    int64_t below = digest->zeros;
    if (rank < below)
        return digest->min;
    for (int64_t i = 0; i < digest->octaves * BINS; i++) {
        below += digest->bin[i];
        if (rank >= below)
            continue;
        int64_t code = digest->first * BINS + i;
        double middle = (edge_of(code) + edge_of(code + 1)) / 2.0;
        return fmin(fmax(middle, digest->min), digest->max);
    }
    return digest->max;
}

double strat_digest_quantile(const StratDigest *digest, double fraction)
{
    if (digest->count == 0)
        return 0.0;
    double rank = fmin(fmax(fraction, 0.0), 1.0) * (double)(digest->count - 1);
    int64_t low = (int64_t)floor(rank);
    double from = at_rank(digest, low);
    return from + (at_rank(digest, low + 1) - from) * (rank - (double)low);
}

double strat_digest_below(const StratDigest *digest, double value)
{
    if (digest->count == 0 || value < digest->min)
        return 0.0;
    if (value >= digest->max)
        return 1.0;
    int64_t code = code_of(value);
    int64_t whole = code - digest->first * BINS; /* bins all below */
    double below = (double)digest->zeros;
    for (int64_t i = 0; i < MIN(whole, digest->octaves * BINS); i++)
        below += (double)digest->bin[i];
    if (whole >= 0 && whole < digest->octaves * BINS)
        below += (double)digest->bin[whole] * (value - edge_of(code)) /
                 (edge_of(code + 1) - edge_of(code));
    return below / (double)digest->count;
}

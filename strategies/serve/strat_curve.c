/*
 * The time of an iteration of n decodes is a function of their mean context c and of how much
 * longer than that the longest is. It is asked at knots and taken linear between them,
 *
 *     T(n, c) = T_q + (T_q+1 - T_q) (c - c_q) / (c_q+1 - c_q),     c_q = 1, 16, 16 2^(1/8), ...
 *
 * which is exact where attention is bandwidth (linear in c) and off by a fraction of the steps of
 * tiles where it is not. Knots are 2^(1/8) apart, 9 %, so a part a c^2 is off by at most
 * a (c_q+1 - c_q)^2 / 4, 0.2 % of itself. Each n has its own knots: what depends on n (waves,
 * tiles, graphs) is not smoothed. The ratio of the longest context to the mean is rounded to a
 * power of 2^(1/4); most prices hardly depend on it.
 *
 * Contexts and times are integers (STRAT_TOKEN_BITS, StratFine), and slopes too, so k iterations in
 * which the sum of contexts s grows by g each take exactly
 *
 *     k T(s) + slope g k (k - 1) / 2
 *
 * the same as k iterations one by one, however they are cut into runs.
 */
#include "strat_curve.h"

#include "strat_sequence.h"

#include <math.h>

enum {
    OCTAVE_KNOTS = 8,
    FIRST_KNOT = 16,               /* the shortest contexts, up to here, are one segment */
    KNOTS = 2 + 20 * OCTAVE_KNOTS, /* up to 16 M tokens; beyond, the last segment goes on */
    RATIO_OCTAVE = 4,
    RATIOS = 12 * RATIO_OCTAVE,
};

typedef struct Knot {
    StratFine time, stage;
    double part_s[STRAT_SERVE_PARTS];
} Knot;

typedef struct Segment {
    int64_t key;
    int64_t from; /* sum of contexts at the first knot */
    int64_t to;
    StratFine time, slope; /* slope: per unit of the sum */
    StratFine stage, stage_slope;
    double part_s[STRAT_SERVE_PARTS];
    double part_slope[STRAT_SERVE_PARTS];
} Segment;

struct StratCurve {
    const StratPricer *pricer;
    int64_t decode_tokens;
    int64_t context[KNOTS];
    double ratio_edge[RATIOS]; /* upper edge of the i-th ratio */
    double ratio[RATIOS];
    GHashTable *segments; /* by Segment.key */
    GHashTable *knots;    /* by the key of the segment that they begin */
    const Segment *last;
};

StratCurve *strat_curve_new(const StratPricer *pricer, int64_t decode_tokens)
{
    StratCurve *curve = g_new0(StratCurve, 1);
    curve->pricer = pricer;
    curve->decode_tokens = decode_tokens;
    curve->context[0] = 1;
    for (int i = 1; i < KNOTS; i++)
        curve->context[i] = llround(FIRST_KNOT * exp2((i - 1) / (double)OCTAVE_KNOTS));
    for (int i = 0; i < RATIOS; i++) {
        curve->ratio[i] = exp2(i / (double)RATIO_OCTAVE);
        curve->ratio_edge[i] = exp2((i + 0.5) / RATIO_OCTAVE);
    }
    curve->segments = g_hash_table_new_full(g_int64_hash, g_int64_equal, NULL, g_free);
    curve->knots = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, g_free);
    return curve;
}

void strat_curve_free(StratCurve *curve)
{
    if (!curve)
        return;
    g_hash_table_unref(curve->segments);
    g_hash_table_unref(curve->knots);
    g_free(curve);
}

int64_t strat_curve_knots(const StratCurve *curve)
{
    return g_hash_table_size(curve->knots);
}

static int64_t key_of(int64_t count, int ratio, int knot)
{
    return (count * RATIOS + ratio) * KNOTS + knot;
}

static const Knot *knot_at(StratCurve *curve, int64_t count, int ratio, int at)
{
    int64_t key = key_of(count, ratio, at);
    Knot *knot = g_hash_table_lookup(curve->knots, &key);
    if (knot)
        return knot;
    StratBatch batch = {.decodes = count,
                        .decode_tokens = curve->decode_tokens,
                        .context = (double)curve->context[at],
                        .longest = (double)curve->context[at] * curve->ratio[ratio],
                        .outputs = count};
    StratIteration price = {0};
    curve->pricer->price(curve->pricer, &batch, &price);
    knot = g_new(Knot, 1);
    knot->time = strat_fine_from_seconds(price.seconds);
    knot->stage = strat_fine_from_seconds(price.stage_s);
    for (int i = 0; i < STRAT_SERVE_PARTS; i++)
        knot->part_s[i] = price.part_s[i];
    g_hash_table_insert(curve->knots, g_memdup2(&key, sizeof key), knot);
    return knot;
}

static const Segment *segment_at(StratCurve *curve, int64_t count, int ratio, int at)
{
    int64_t key = key_of(count, ratio, at);
    if (curve->last && curve->last->key == key)
        return curve->last;
    Segment *segment = g_hash_table_lookup(curve->segments, &key);
    if (!segment) {
        const Knot *low = knot_at(curve, count, ratio, at);
        const Knot *high = knot_at(curve, count, ratio, at + 1);
        segment = g_new(Segment, 1);
        segment->key = key;
        segment->from = (curve->context[at] * count) << STRAT_TOKEN_BITS;
        segment->to = (curve->context[at + 1] * count) << STRAT_TOKEN_BITS;
        int64_t span = segment->to - segment->from;
        segment->time = low->time;
        segment->slope = (high->time - low->time) / span;
        segment->stage = low->stage;
        segment->stage_slope = (high->stage - low->stage) / span;
        for (int i = 0; i < STRAT_SERVE_PARTS; i++) {
            segment->part_s[i] = low->part_s[i];
            segment->part_slope[i] = (high->part_s[i] - low->part_s[i]) / (double)span;
        }
        g_hash_table_insert(curve->segments, &segment->key, segment);
    }
    curve->last = segment;
    return segment;
}

/* The knot at or before the mean of @sum over @count. */
static int knot_before(const StratCurve *curve, int64_t sum, int64_t count)
{
    int64_t mean = sum / (count << STRAT_TOKEN_BITS);
    if (mean < FIRST_KNOT)
        return 0;
    int at = 1 + (int)(OCTAVE_KNOTS * log2((double)mean / FIRST_KNOT));
    at = CLAMP(at, 1, KNOTS - 2);
    while (at > 1 && curve->context[at] > mean)
        at--;
    while (at < KNOTS - 2 && curve->context[at + 1] <= mean)
        at++;
    return at;
}

/* The ratio of the longest to the mean in iteration @i. */
static int ratio_in(const StratCurve *curve, const StratDecodeLoad *load, int64_t i)
{
    double mean = (double)(load->sum + i * load->growth) / (double)load->count;
    double ratio = (double)(load->longest + i * load->longest_growth) / mean;
    int at = 0;
    while (at < RATIOS - 1 && ratio >= curve->ratio_edge[at])
        at++;
    return at;
}

/* Of the iterations 0 .. most - 1 the leading ones with the ratio of the first: it moves one way.
 */
static int64_t equal_ratios(const StratCurve *curve, const StratDecodeLoad *load, int ratio,
                            int64_t most)
{
    if (ratio_in(curve, load, most - 1) == ratio)
        return most;
    int64_t same = 1;
    int64_t other = most - 1;
    while (same < other) {
        int64_t middle = same + (other - same) / 2;
        if (ratio_in(curve, load, middle) == ratio)
            same = middle + 1;
        else
            other = middle;
    }
    return same;
}

StratStretch strat_curve_stretch(StratCurve *curve, const StratDecodeLoad *load, int64_t most)
{
    g_assert(load->count > 0 && most > 0);
    int at = knot_before(curve, load->sum, load->count);
    int ratio = ratio_in(curve, load, 0);
    const Segment *segment = segment_at(curve, load->count, ratio, at);
    if (at < KNOTS - 2 && load->growth > 0)
        most = MIN(most, (segment->to - load->sum + load->growth - 1) / load->growth);
    most = equal_ratios(curve, load, ratio, MAX(most, 1));
    StratFine past = load->sum - segment->from;
    return (StratStretch){
        .first = segment->time + segment->slope * past,
        .step = segment->slope * load->growth,
        .count = most,
        .stage = segment->stage + segment->stage_slope * past,
        .segment = segment,
    };
}

void strat_curve_parts(const StratStretch *stretch, const StratDecodeLoad *load, int64_t iterations,
                       double weight, double part_s[STRAT_SERVE_PARTS])
{
    const Segment *segment = stretch->segment;
    double middle =
        (double)(load->sum - segment->from) + (double)load->growth * (double)(iterations - 1) / 2.0;
    double scale = weight * (double)iterations;
    for (int i = 0; i < STRAT_SERVE_PARTS; i++)
        part_s[i] += scale * (segment->part_s[i] + segment->part_slope[i] * middle);
}

StratFine strat_stretch_time(const StratStretch *stretch, int64_t iterations)
{
    StratFine k = iterations;
    return k * stretch->first + stretch->step * (k * (k - 1) / 2);
}

int64_t strat_stretch_reach(const StratStretch *stretch, StratFine time)
{
    if (time <= 0)
        return 0;
    if (strat_stretch_time(stretch, stretch->count) < time)
        return stretch->count + 1;
    double a = (double)stretch->step / 2.0;
    double b = (double)stretch->first - a;
    double root = sqrt(fmax(b * b + 4.0 * a * (double)time, 0.0));
    int64_t k = (int64_t)(2.0 * (double)time / (b + root));
    k = CLAMP(k, 1, stretch->count);
    while (k > 1 && strat_stretch_time(stretch, k - 1) >= time)
        k--;
    while (strat_stretch_time(stretch, k) < time)
        k++;
    return k;
}

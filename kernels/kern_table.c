/* Tables of measured products and attention calls.
 *
 * A product is looked up by (n, k, m) within its type, whether it converts its input, and its
 * batch. Attention is looked up by (keys before the first query, queries, batch) within its type,
 * head width, mask and query heads a key/value head; the time between two numbers of queries is
 * linear in the scores computed, which is linear in tokens times context, not in logarithms.
 * kern_grid.c interpolates.
 *
 * fp16 and bf16 run at one rate on tensor cores, so one stands for the other where only that was
 * measured, and counts as interpolated then. Causal masks are told from full ones by the share of
 * scores that is left; other masks are looked up by that share alone. Prefill that does not tell
 * its key/value heads, or has a number of them that was not measured, is answered by all rows
 * together, which counts as interpolated; decode is not, because reading its keys and values is its
 * cost.
 *
 * Tables are measured at boost clock. A long step runs slower under its power cap, and what
 * computes slows down with the clock, what moves memory does not. The roofline says which:
 *
 *   t = t_measured * max(flop / (c peak), bytes / bandwidth) / max(flop / peak, bytes / bandwidth)
 *
 * Left out: the backward of attention, which tables of serving engines do not hold. */
#include "kern_table_private.h"

#include <math.h>

const char *kern_table_op_name(KernTableOp op)
{
    static const char *const names[KERN_TABLE_OPS] = {
        [KERN_TABLE_GEMM] = "gemm",       [KERN_TABLE_ATTENTION] = "attention",
        [KERN_TABLE_PREFILL] = "prefill", [KERN_TABLE_DECODE] = "decode",
        [KERN_TABLE_MOE] = "moe",
    };
    return names[op];
}

static bool gemm_place(const KernGemmShape *s, TopoDtype dtype, KernTablePlace *place)
{
    if (s->batch >= INT64_C(1) << 48)
        return false;
    *place = (KernTablePlace){
        .family = (uint64_t)dtype | (uint64_t)s->quantised << 8 | (uint64_t)s->weights << 9 |
                  (uint64_t)s->batch << 16,
        .at = {s->n, s->k, s->m},
    };
    return true;
}

enum { MASK_CAUSAL = 1001, MASK_STEPS = 1000, GROUPS = 1 << 12, GROUP_SHIFT = 52 };

/* Full: 1000; causal: the queries are the last of the keys; else the share in thousandths. */
static uint64_t mask_of(const KernAttentionShape *s, int64_t before)
{
    double keys = (double)s->keys, causal = ((double)before + 0.5 * (double)s->queries) / keys;
    if (s->queries > 1 && fabs(s->unmasked_fraction - causal) <= 0.5 / keys + 1e-9)
        return MASK_CAUSAL;
    return (uint64_t)(s->unmasked_fraction * MASK_STEPS + 0.5);
}

/* Query heads a key/value head; 0: not told. */
static uint64_t group_of(const KernAttentionShape *s)
{
    int64_t group = s->kv_batch > 0 ? s->batch / s->kv_batch : 0;
    return group < GROUPS ? (uint64_t)group : 0;
}

static bool attention_place(const KernAttentionShape *s, TopoDtype dtype, uint64_t group,
                            KernTablePlace *place)
{
    int64_t before = s->keys - s->queries;
    if (before < 0 || s->queries < 1 || s->head_dim >= 1 << 20 || s->unmasked_fraction > 1.0)
        return false;
    uint64_t one = s->queries == 1;
    *place = (KernTablePlace){
        .family = (uint64_t)dtype | one << 8 | mask_of(s, before) << 16 |
                  (uint64_t)s->head_dim << 32 | group << GROUP_SHIFT,
        .at = {before, s->queries, s->batch},
    };
    return true;
}

void kern_table_add_point(GArray *points, const KernTablePlace *place, double seconds)
{
    KernGridPoint point = {.family = place->family, .seconds = seconds};
    for (int l = 0; l < KERN_GRID_LEVELS; l++)
        point.at[l] = place->at[l];
    g_array_append_val(points, point);
}

KernTable *kern_table_new(const KernGemmRow *gemm, size_t gemm_count,
                          const KernAttentionRow *attention, size_t attention_count)
{
    g_autoptr(GArray) products = g_array_new(FALSE, FALSE, sizeof(KernGridPoint));
    g_autoptr(GArray) calls = g_array_new(FALSE, FALSE, sizeof(KernGridPoint));
    KernTablePlace place;
    for (size_t i = 0; i < gemm_count; i++)
        if (gemm_place(&gemm[i].shape, gemm[i].shape.dtype, &place))
            kern_table_add_point(products, &place, gemm[i].seconds);
    for (size_t i = 0; i < attention_count; i++) {
        const KernAttentionShape *shape = &attention[i].shape;
        uint64_t group = group_of(shape);
        if (group > 0 && attention_place(shape, shape->dtype, group, &place))
            kern_table_add_point(calls, &place, attention[i].seconds);
        if (attention_place(shape, shape->dtype, 0, &place))
            kern_table_add_point(calls, &place, attention[i].seconds);
    }
    KernTable *table = g_new0(KernTable, 1);
    table->grid[KERN_TABLE_GEMM] =
        kern_grid_new((KernGridPoint *)(void *)products->data, products->len, KERN_GRID_LINEAR);
    table->grid[KERN_TABLE_ATTENTION] =
        kern_grid_new((KernGridPoint *)(void *)calls->data, calls->len, KERN_GRID_SCORES);
    table->shapes[KERN_TABLE_GEMM] = kern_grid_count(table->grid[KERN_TABLE_GEMM]);
    /* Points of all groups together repeat others, unless no row tells its group. */
    size_t points = kern_grid_count(table->grid[KERN_TABLE_ATTENTION]), grouped = 0;
    for (size_t i = 0; i < points; i++)
        grouped += g_array_index(calls, KernGridPoint, i).family >> GROUP_SHIFT != 0;
    table->shapes[KERN_TABLE_ATTENTION] = grouped > 0 ? grouped : points;
    return table;
}

void kern_table_free(KernTable *table)
{
    if (!table)
        return;
    for (int op = 0; op < KERN_TABLE_OPS; op++)
        kern_grid_free(table->grid[op]); /* NULL where no rows of serving came */
    g_free(table);
}

size_t kern_table_count(const KernTable *table, KernTableOp op)
{
    return table->shapes[op];
}

TopoDtype kern_table_twin(TopoDtype dtype)
{
    return dtype == TOPO_DTYPE_FP16   ? TOPO_DTYPE_BF16
           : dtype == TOPO_DTYPE_BF16 ? TOPO_DTYPE_FP16
                                      : dtype;
}

double kern_table_slowdown(const KernDevice *device, TopoDtype dtype, double flop, double bytes)
{
    double compute = flop / device->gpu->peak_flop_per_s[dtype];
    double memory = bytes / device->gpu->memory_bytes_per_s;
    return fmax(compute / device->clock_fraction, memory) / fmax(compute, memory);
}

KernGridHit kern_table_gemm(const KernDevice *device, const KernGemmShape *s, double *seconds)
{
    const KernGrid *grid = device->table->grid[KERN_TABLE_GEMM];
    KernTablePlace place;
    if (!gemm_place(s, s->dtype, &place))
        return KERN_GRID_MISS;
    KernGridHit hit = kern_grid_find(grid, place.family, place.at, seconds);
    TopoDtype twin = kern_table_twin(s->dtype);
    if (hit == KERN_GRID_MISS && twin != s->dtype && gemm_place(s, twin, &place) &&
        kern_grid_find(grid, place.family, place.at, seconds) != KERN_GRID_MISS)
        hit = KERN_GRID_BETWEEN;
    if (hit != KERN_GRID_MISS && device->clock_fraction != 1.0) {
        double m = (double)s->m, n = (double)s->n, k = (double)s->k;
        double bytes = (double)s->batch * (topo_dtype_bytes(s->dtype) * (m * k + m * n) +
                                           kern_gemm_weight_bytes(s) * k * n);
        *seconds *= kern_table_slowdown(device, s->dtype, kern_gemm_flop(s), bytes);
    }
    return hit;
}

KernGridHit kern_table_attention(const KernDevice *device, const KernAttentionShape *s,
                                 double *seconds)
{
    const KernGrid *grid = device->table->grid[KERN_TABLE_ATTENTION];
    const TopoDtype types[] = {s->dtype, kern_table_twin(s->dtype)};
    uint64_t group = group_of(s);
    KernGridHit hit = KERN_GRID_MISS;
    KernTablePlace place;
    /* The call itself, that of all groups, and both in the other type. */
    for (size_t i = 0; hit == KERN_GRID_MISS && i < 4; i++) {
        if (i % 2 == 1 && s->queries == 1 && group > 0)
            continue;
        if (!attention_place(s, types[i / 2], i % 2 == 0 ? group : 0, &place))
            return KERN_GRID_MISS;
        hit = kern_grid_find(grid, place.family, place.at, seconds);
        if (hit == KERN_GRID_EXACT && (i > 0 || group == 0))
            hit = KERN_GRID_BETWEEN;
    }
    if (hit != KERN_GRID_MISS && device->clock_fraction != 1.0) {
        double rows = 2.0 * (double)(s->queries + s->keys); /* Q and the output, K and V */
        double bytes = topo_dtype_bytes(s->dtype) * (double)s->batch * rows * (double)s->head_dim;
        *seconds *= kern_table_slowdown(device, s->dtype, kern_attention_forward_flop(s), bytes);
    }
    return hit;
}

bool kern_table_told(const KernDevice *device, KernTableOp op, KernGridHit hit)
{
    if (device->tally)
        device->tally->asked[op][hit]++;
    return hit != KERN_GRID_MISS;
}

bool kern_table_gemm_s(const KernDevice *device, const KernGemmShape *shape, double *seconds)
{
    return device->table &&
           kern_table_told(device, KERN_TABLE_GEMM, kern_table_gemm(device, shape, seconds));
}

bool kern_table_attention_s(const KernDevice *device, const KernAttentionShape *shape,
                            double *seconds)
{
    return device->table && kern_table_told(device, KERN_TABLE_ATTENTION,
                                            kern_table_attention(device, shape, seconds));
}

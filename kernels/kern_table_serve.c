/* Tables of measured prefill, decode and expert layers.
 *
 * Prefill is looked up by (tokens in the cache, queries, sequences) among calls of its heads,
 * widths, window and types; between two numbers of queries time is linear in the scores computed.
 * Decode is looked up by (sequences, context), linear in both: its cost is reading the cache. A
 * layer of experts is looked up by (hidden, inter, tokens) among layers of its experts, cut, law of
 * loads, type and family of kernels; of another family where its own was not measured, which counts
 * as interpolated, as does fp16 for bf16. kern_grid.c interpolates, and the clock is that of
 * kern_table.c. Shapes whose numbers have no room in a family (heads of 1024 and more) are misses.
 *
 * Left out: calls whose sequences differ in length. */
#include "kern_table_serve.h"

#include "kern_table_private.h"

#include <math.h>

/* Packs numbers from the lowest bits on; @fits turns false when one has no room. */
typedef struct Packer {
    uint64_t key;
    int used;
    bool fits;
} Packer;

static void pack(Packer *packer, int64_t number, int bits)
{
    packer->fits = packer->fits && number >= 0 && number < INT64_C(1) << bits;
    packer->key |= (uint64_t)number << packer->used;
    packer->used += bits;
    g_assert(packer->used <= 64);
}

static bool prefill_place(const KernPrefillShape *s, TopoDtype dtype, KernTablePlace *place)
{
    Packer packer = {.fits = true};
    pack(&packer, dtype, 3);
    pack(&packer, s->fp8_cache, 1);
    pack(&packer, s->head_dim, 10);
    pack(&packer, s->value_dim == s->head_dim ? 0 : s->value_dim, 10);
    pack(&packer, s->window, 20);
    pack(&packer, s->heads, 10);
    pack(&packer, s->kv_heads, 10);
    *place = (KernTablePlace){
        .family = packer.key, .at = {s->past, s->queries, s->sequences}
    };
    return packer.fits;
}

static bool decode_place(const KernDecodeShape *s, TopoDtype dtype, KernTablePlace *place)
{
    bool latent = s->latent_width > 0; /* then key/value heads do not count, nor the width */
    Packer packer = {.fits = true};
    pack(&packer, dtype, 3);
    pack(&packer, s->fp8_cache, 1);
    pack(&packer, latent, 1);
    pack(&packer, latent ? s->latent_width : s->head_dim, 10);
    pack(&packer, latent ? s->rope_width : s->kv_heads, 10);
    pack(&packer, s->heads, 10);
    pack(&packer, s->window, 20);
    *place = (KernTablePlace){
        .family = packer.key, .at = {0, s->sequences, s->context}
    };
    return packer.fits;
}

static bool moe_place(const KernMoeShape *s, KernMoeFamily family, KernTablePlace *place)
{
    Packer packer = {.fits = s->power >= 0.0 && s->power < 2.0};
    pack(&packer, s->type, 4);
    pack(&packer, family, 4);
    pack(&packer, s->topk, 8);
    pack(&packer, s->experts, 12);
    pack(&packer, s->tensor, 12);
    pack(&packer, s->expert, 12);
    pack(&packer, s->ungated, 1);
    pack(&packer, packer.fits ? (int64_t)(s->power * 1000.0 + 0.5) : 0, 11);
    *place = (KernTablePlace){
        .family = packer.key, .at = {s->hidden, s->inter, s->tokens}
    };
    return packer.fits;
}

static void set_grid(KernTable *table, KernTableOp op, GArray *points, KernGridScale scale)
{
    kern_grid_free(table->grid[op]);
    table->grid[op] = kern_grid_new((KernGridPoint *)(void *)points->data, points->len, scale);
    table->shapes[op] = kern_grid_count(table->grid[op]);
    g_array_set_size(points, 0);
}

void kern_table_set_serving(KernTable *table, const KernTableServeRows *rows)
{
    g_autoptr(GArray) points = g_array_new(FALSE, FALSE, sizeof(KernGridPoint));
    KernTablePlace place;
    for (size_t i = 0; i < rows->prefill_count; i++)
        if (prefill_place(&rows->prefill[i].shape, rows->prefill[i].shape.dtype, &place))
            kern_table_add_point(points, &place, rows->prefill[i].seconds);
    set_grid(table, KERN_TABLE_PREFILL, points, KERN_GRID_SCORES);
    for (size_t i = 0; i < rows->decode_count; i++)
        if (decode_place(&rows->decode[i].shape, rows->decode[i].shape.dtype, &place))
            kern_table_add_point(points, &place, rows->decode[i].seconds);
    set_grid(table, KERN_TABLE_DECODE, points, KERN_GRID_LINEAR);
    for (size_t i = 0; i < rows->moe_count; i++)
        if (moe_place(&rows->moe[i].shape, rows->moe[i].shape.family, &place))
            kern_table_add_point(points, &place, rows->moe[i].seconds);
    set_grid(table, KERN_TABLE_MOE, points, KERN_GRID_LINEAR);
}

static KernGridHit find(const KernGrid *grid, const KernTablePlace *place, bool itself,
                        double *seconds)
{
    KernGridHit hit = kern_grid_find(grid, place->family, place->at, seconds);
    return hit == KERN_GRID_EXACT && !itself ? KERN_GRID_BETWEEN : hit;
}

KernGridHit kern_table_prefill(const KernDevice *device, const KernPrefillShape *s, double *seconds)
{
    const KernGrid *grid = device->table->grid[KERN_TABLE_PREFILL];
    const TopoDtype types[] = {s->dtype, kern_table_twin(s->dtype)};
    KernGridHit hit = KERN_GRID_MISS;
    KernTablePlace place;
    for (size_t i = 0; grid && hit == KERN_GRID_MISS && i < G_N_ELEMENTS(types); i++)
        if (prefill_place(s, types[i], &place))
            hit = find(grid, &place, types[i] == s->dtype, seconds);
    if (hit != KERN_GRID_MISS && device->clock_fraction != 1.0) {
        double rows = (double)s->queries * (double)s->heads +
                      (double)(s->past + s->queries) * (double)s->kv_heads;
        double bytes = 4.0 * (double)s->sequences * rows * (double)s->head_dim;
        *seconds *= kern_table_slowdown(device, s->dtype, kern_prefill_flop(s), bytes);
    }
    return hit;
}

KernGridHit kern_table_decode(const KernDevice *device, const KernDecodeShape *s, double *seconds)
{
    const KernGrid *grid = device->table->grid[KERN_TABLE_DECODE];
    const TopoDtype types[] = {s->dtype, kern_table_twin(s->dtype)};
    KernGridHit hit = KERN_GRID_MISS;
    KernTablePlace place;
    for (size_t i = 0; grid && hit == KERN_GRID_MISS && i < G_N_ELEMENTS(types); i++)
        if (decode_place(s, types[i], &place))
            hit = find(grid, &place, types[i] == s->dtype, seconds);
    if (hit != KERN_GRID_MISS && device->clock_fraction != 1.0)
        *seconds *=
            kern_table_slowdown(device, s->dtype, kern_decode_flop(s), kern_decode_cache_bytes(s));
    return hit;
}

KernGridHit kern_table_moe(const KernDevice *device, const KernMoeShape *s, double *seconds)
{
    const KernGrid *grid = device->table->grid[KERN_TABLE_MOE];
    KernGridHit hit = KERN_GRID_MISS;
    KernTablePlace place;
    for (int i = 0; grid && hit == KERN_GRID_MISS && i < KERN_MOE_FAMILIES; i++) {
        KernMoeFamily family = (KernMoeFamily)(((int)s->family + i) % KERN_MOE_FAMILIES);
        if (moe_place(s, family, &place))
            hit = find(grid, &place, i == 0, seconds);
    }
    if (hit != KERN_GRID_MISS && device->clock_fraction != 1.0) {
        const KernMoeFit plain = {0};
        KernMoeLoad load = kern_moe_load(&plain, s);
        double weights =
            (s->ungated ? 2.0 : 3.0) * (double)s->hidden * (double)s->inter / (double)s->tensor;
        *seconds *=
            kern_table_slowdown(device, kern_moe_dtype(s->type), 2.0 * load.assignments * weights,
                                load.touched * weights * kern_moe_weight_bytes(s->type));
    }
    return hit;
}

bool kern_table_prefill_s(const KernDevice *device, const KernPrefillShape *shape, double *seconds)
{
    KernGridHit hit = kern_table_prefill(device, shape, seconds);
    return kern_table_told(device, KERN_TABLE_PREFILL, hit);
}

bool kern_table_decode_s(const KernDevice *device, const KernDecodeShape *shape, double *seconds)
{
    KernGridHit hit = kern_table_decode(device, shape, seconds);
    return kern_table_told(device, KERN_TABLE_DECODE, hit);
}

bool kern_table_moe_s(const KernDevice *device, const KernMoeShape *shape, double *seconds)
{
    return kern_table_told(device, KERN_TABLE_MOE, kern_table_moe(device, shape, seconds));
}

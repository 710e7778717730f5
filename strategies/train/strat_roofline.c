/* The roofline of a step (Williams 2009, CACM 52(4)): operations by what they compute for a byte and
 * how fast they do it, under the rate of the GPU's arithmetic and of its memory.
 *
 * Each kind of layer, the embedding and the head are priced once, forward and backward, as a GPU
 * runs them for one microbatch; spans of one operation in one pass are added up, so that a backward
 * of two products is one point. Work and bytes: strat_work.c; seconds: strat_cost.c, launches
 * included. Left out: communication, casts, the accumulation of gradients and the optimizer; what a
 * rank's place changes (it does not change these); a second kind of nodes. */
#include "strat_roofline.h"

static GArray *spans_of(const StratCosting *costing, const StratModelChunk *chunk, bool backward)
{
    StratCosting graded = *costing;
    GArray *spans = g_array_new(FALSE, FALSE, sizeof(StratSpan));
    graded.graded = true;
    graded.device.tally = NULL; /* counts what the step asked, not this sample */
    if (backward)
        strat_cost_backward(&graded, chunk, STRAT_BACKWARD_WHOLE, spans);
    else
        strat_cost_forward(&graded, chunk, spans);
    return spans;
}

/* The point of @span among those from @first on, a new one if it has none. */
static StratRoofPoint *point_of(GArray *points, guint first, const StratSpan *span,
                                const StratRoofPoint *kind)
{
    for (guint i = first; i < points->len; i++) {
        StratRoofPoint *point = &g_array_index(points, StratRoofPoint, i);
        if (point->pass == kind->pass && g_str_equal(point->label, span->label))
            return point;
    }
    g_array_append_val(points, *kind);
    StratRoofPoint *point = &g_array_index(points, StratRoofPoint, points->len - 1);
    point->label = span->label;
    return point;
}

/* @kind says what all of the points of @chunk have in common. */
static void add_chunk(GArray *points, const StratCosting *costing, const StratModelChunk *chunk,
                      StratRoofPoint kind)
{
    guint first = points->len;
    for (int backward = 0; backward <= 1; backward++) {
        g_autoptr(GArray) spans = spans_of(costing, chunk, backward);
        for (guint i = 0; i < spans->len; i++) {
            const StratSpan *span = &g_array_index(spans, StratSpan, i);
            if (span->bytes <= 0.0)
                continue;
            kind.pass = backward ? STRAT_PASS_BACKWARD : STRAT_PASS_FORWARD;
            if (span->bucket == STRAT_BUCKET_RECOMPUTE)
                kind.pass = STRAT_PASS_RECOMPUTE;
            StratRoofPoint *point = point_of(points, first, span, &kind);
            point->flop += span->flop;
            point->bytes += span->bytes;
            point->seconds += span->seconds;
        }
    }
}

GArray *strat_roofline(const StratCosting *costing)
{
    const ModelSpec *model = costing->model;
    GArray *points = g_array_new(FALSE, FALSE, sizeof(StratRoofPoint));
    int64_t plain = model->experts > 0 ? model->dense_layers : model->layers;
    StratModelChunk layer = {.layers = 1};
    if (plain > 0)
        add_chunk(points, costing, &layer, (StratRoofPoint){.layers = (double)plain});
    layer.moe_layers = 1;
    if (plain < model->layers)
        add_chunk(
            points, costing, &layer,
            (StratRoofPoint){.layers = (double)(model->layers - plain), .is_experts = plain > 0});
    StratModelChunk ends = {.embedding = true, .head = true};
    add_chunk(points, costing, &ends, (StratRoofPoint){.layers = 1.0});
    return points;
}

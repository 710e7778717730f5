/* How a measured row lays its layers out.
 *
 * nanotron deals the blocks of a model out by their weights (models/base.py, build_model; the
 * model's get_block_compute_costs): of a layer a = 4 heads head_dim hidden + 3 ffn hidden, of the head
 * v = vocab hidden, of L layers and P stages a stage ends with the block that brings the sum of all
 * before to more than its share of L a + v, so that n layers stand before the end of stage r = 1 .. P - 1:
 *
 *   n = min(floor(r (L a + v) / (P a)) + 1, L) */
#include "scen_rows_layout.h"

#include "scen_rows_expert.h"
#include "strat_schedule.h"

#include <string.h>

#define I64 "%" G_GINT64_FORMAT

#define integer(w, object, key, fallback) scen_row_integer(object, key, fallback, &(w)->fault)
#define text(w, object, key, fallback) scen_row_text(object, key, fallback, &(w)->fault)

/* A remark: of another type, it says nothing. */
static const char *remark(JsonObject *object, const char *key)
{
    g_autofree char *ignored = NULL;
    return scen_row_text(object, key, "", &ignored);
}

static const char *yes_no(bool value)
{
    return value ? "true" : "false";
}

static void put_by_cost(ScenRowWriter *w)
{
    JsonObject *m = w->model;
    double hidden = (double)integer(w, m, "hidden", 0), heads = (double)integer(w, m, "heads", 1);
    double width = (double)integer(w, m, "head_dim", (int64_t)(hidden / heads));
    double layer = 4.0 * heads * width * hidden + 3.0 * (double)integer(w, m, "ffn", 0) * hidden;
    double all = (double)w->layers * layer + (double)integer(w, m, "vocab", 0) * hidden;
    int64_t before = 0;
    scen_row_put(w, "  stage_layers:");
    for (int64_t stage = 1; stage <= w->pipeline; stage++) {
        double share = all * (double)stage / (double)w->pipeline;
        int64_t end =
            stage < w->pipeline ? MIN((int64_t)(share / layer) + 1, w->layers) : w->layers;
        scen_row_put(w, " " I64, end - before);
        before = end;
    }
    scen_row_put(w, "\n");
}

/* Virtual stages of an interleaved schedule that does not say: two layers a chunk where that
 * divides, else one chunk. */
int64_t scen_rows_chunks(ScenRowWriter *w)
{
    int64_t chunks = integer(w, w->row, "vp", 0);
    if (w->pipeline == 1)
        return 1;
    if (chunks > 0)
        return chunks;
    if (!g_str_equal(text(w, w->setup, "schedule", ""), "interleaved-1f1b"))
        return 1;
    int64_t slots = w->layers % w->pipeline == 0 ? w->layers : w->layers + 2;
    chunks = slots % (2 * w->pipeline) == 0 ? slots / (2 * w->pipeline) : slots / w->pipeline;
    scen_row_guess(w, I64 " virtual stages", chunks);
    return MAX(chunks, 1);
}

void scen_rows_put_layout(ScenRowWriter *w, const char *preset)
{
    scen_row_put(w,
                 "  tensor: " I64 "\n  context: " I64 "\n  pipeline: " I64
                 "\n  virtual_stages: " I64 "\n",
                 integer(w, w->row, "tp", 1), integer(w, w->row, "cp", 1), w->pipeline, w->chunks);
    if (integer(w, w->model, "experts", 0) > 0)
        scen_rows_put_experts(w, preset);
    if (scen_row_has(w->row, "dp"))
        scen_row_put(w, "  data: " I64 "\n", integer(w, w->row, "dp", 1));
    if (w->pipeline == 1)
        return;
    if (g_str_equal(preset, "nanotron-2024")) {
        put_by_cost(w);
        return;
    }
    const char *layout = remark(w->row, "pipeline_layout");
    const char *notes = remark(w->row, "notes");
    int64_t places = w->pipeline * w->chunks;
    bool ends = strstr(notes, "first and last stage") || strstr(notes, "first/last stage") ||
                strstr(layout, "embedding") ||
                (w->layers % places != 0 && (w->layers + 2) % places == 0);
    scen_row_put(w, "  count_embedding: %s\n  count_head: %s\n", yes_no(ends), yes_no(ends));
    if (w->chunks > 1 && (w->layers + 2 * ends) % places != 0 && strstr(layout, "slots"))
        scen_row_put(w, "  uneven_layers: true\n");
}

void scen_rows_put_schedule(ScenRowWriter *w)
{
    const char *schedule = text(w, w->setup, "schedule", NULL);
    if (!schedule)
        return;
    if (!strat_schedule_by_name(schedule, NULL))
        scen_row_refuse(w, "pipeline schedule '%s' is not modelled", schedule);
    else if (w->pipeline > 1 && !g_str_equal(schedule, "none"))
        scen_row_put(w, "  schedule: %s\n",
                     g_str_equal(schedule, "interleaved-1f1b") && w->chunks == 1 ? "1f1b"
                                                                                 : schedule);
    if (strstr(remark(w->row, "schedule"), "synchronous optimizer"))
        scen_row_put(w, "  synchronous_optimizer: true\n");
}

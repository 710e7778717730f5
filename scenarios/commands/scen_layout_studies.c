/* Layout studies: does the plan that is predicted to be fastest come near the one that was?
 *
 * Absolute errors say little about a search, which only compares. Rows of one publication that
 * agree in model, GPUs, batch and sequence and differ in how these are laid out are a study; of it
 *
 *   lost  = measured(argmin predicted) / measured(argmin measured) - 1
 *   rho   = Spearman's rank correlation of predicted and measured steps
 *
 * Rows of one layout that were measured more than once are kept: their spread is the noise that
 * lost cannot be below. */
#include "scen_layout_studies.h"

#include "sim_rank.h"

#define I64 "%" G_GINT64_FORMAT

enum { LEAST_ROWS = 3, LEAST_LAYOUTS = 2 };

char *scen_layout_study_name(const ScenScenario *scenario, const char *group)
{
    const ModelSpec *model = &scenario->model;
    return g_strdup_printf("%s: " I64 " x " I64 ", " I64 " heads, " I64 " %s, batch " I64 " x " I64,
                           group, model->layers, model->hidden, model->heads,
                           scenario->cluster.gpu_count, scenario->cluster.node.gpu.name,
                           scenario->plan.global_batch, scenario->plan.sequence_length);
}

static double value_of(const ScenValidRow *row, bool predicted)
{
    return predicted ? row->predicted_s : row->published_s;
}

static double rank_correlation(const GPtrArray *rows)
{
    g_autofree double *predicted = g_new(double, rows->len), *published = g_new(double, rows->len);
    for (guint i = 0; i < rows->len; i++) {
        predicted[i] = value_of(rows->pdata[i], true);
        published[i] = value_of(rows->pdata[i], false);
    }
    return sim_rank_correlation(predicted, published, rows->len);
}

static const ScenValidRow *least(const GPtrArray *rows, bool predicted)
{
    const ScenValidRow *found = rows->pdata[0];
    for (guint i = 1; i < rows->len; i++)
        if (value_of(rows->pdata[i], predicted) < value_of(found, predicted))
            found = rows->pdata[i];
    return found;
}

static guint count_layouts(const GPtrArray *rows)
{
    guint count = 0;
    for (guint i = 0; i < rows->len; i++) {
        bool seen = false;
        for (guint j = 0; j < i; j++)
            seen = seen || g_str_equal(((const ScenValidRow *)rows->pdata[j])->layout,
                                       ((const ScenValidRow *)rows->pdata[i])->layout);
        count += !seen;
    }
    return count;
}

/* The rows of the study of row @first of @all; empty when an earlier row has brought it up, or when
 * that one is of no study: only its schedule is simulated. */
static GPtrArray *rows_of(const GArray *all, guint first)
{
    GPtrArray *rows = g_ptr_array_new();
    const char *study = g_array_index(all, ScenValidRow, first).study;
    bool is_of_one = !g_array_index(all, ScenValidRow, first).schedule_only;
    for (guint i = 0; is_of_one && i < all->len; i++) {
        ScenValidRow *row = &g_array_index(all, ScenValidRow, i);
        if (row->schedule_only || !g_str_equal(row->study, study))
            continue;
        if (i < first)
            break;
        g_ptr_array_add(rows, row);
    }
    return rows;
}

GArray *scen_layout_studies(const ScenValidation *validation)
{
    GArray *studies = g_array_new(FALSE, FALSE, sizeof(ScenLayoutStudy));
    for (guint i = 0; i < validation->rows->len; i++) {
        g_autoptr(GPtrArray) rows = rows_of(validation->rows, i);
        guint layouts = count_layouts(rows);
        if (rows->len < LEAST_ROWS || layouts < LEAST_LAYOUTS)
            continue;
        const ScenValidRow *chosen = least(rows, true), *best = least(rows, false);
        ScenLayoutStudy study = {
            .name = chosen->study,
            .rows = rows->len,
            .layouts = layouts,
            .chosen = chosen->id,
            .best = best->id,
            .lost_fraction = chosen->published_s / best->published_s - 1.0,
            .rank_correlation = rank_correlation(rows),
        };
        g_array_append_val(studies, study);
    }
    return studies;
}

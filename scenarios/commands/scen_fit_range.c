/* The sizes that were fitted, least and largest of each, as profiles keep them: what lies further
 * off than a factor of two is answered as extrapolated. */
#include "scen_fit_range.h"

#include "kern_range.h"

#include <stdio.h>

static void print_range(const char *name, const KernRange *range, const char *end)
{
    printf("%s_from: %" G_GINT64_FORMAT ", %s_to: %" G_GINT64_FORMAT "%s", name, range->from, name,
           range->to, end);
}

void scen_fit_range_print(const ScenFitTable *table)
{
    KernFittedOn on = {0};
    for (int t = 0; t < KERN_GEMM_TYPES; t++)
        for (guint i = 0; i < table->gemm[t]->len; i++) {
            const KernGemmShape *s = &g_array_index(table->gemm[t], KernGemmRow, i).shape;
            kern_range_add(&on.gemm_m, s->m);
            kern_range_add(&on.gemm_n, s->n);
            kern_range_add(&on.gemm_k, s->k);
        }
    for (guint i = 0; i < table->attention->len; i++) {
        const KernAttentionShape *s = &g_array_index(table->attention, KernAttentionRow, i).shape;
        kern_range_add(&on.attention_batch, s->batch);
        kern_range_add(&on.attention_keys, s->keys);
        kern_range_add(&on.attention_head_dim, s->head_dim);
    }
    if (on.gemm_m.to > 0 || on.attention_keys.to > 0)
        puts("  fitted_on:");
    if (on.gemm_m.to > 0) {
        printf("    gemm: {");
        print_range("m", &on.gemm_m, ", ");
        print_range("n", &on.gemm_n, ", ");
        print_range("k", &on.gemm_k, "}\n");
    }
    if (on.attention_keys.to > 0) {
        printf("    attention: {");
        print_range("batch", &on.attention_batch, ", ");
        print_range("keys", &on.attention_keys, ", ");
        print_range("head_dim", &on.attention_head_dim, "}\n");
    }
}

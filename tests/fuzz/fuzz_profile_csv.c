/* Fuzzes the readers of measured tables: what a scenario asks (kernels.table), what `orrery fit`
 * takes, and engine profiles. An input that starts with "== NAME" is the files of a profile, each
 * behind such a line; any other is one table. Whatever comes in, the answer is rows whose shapes
 * and times are sound, or an error with a message; never a crash, a leak or a hang. */
#include "fuzz_folder.h"
#include "kern_table.h"
#include "scen_engine_profile.h"
#include "scen_fit_table.h"
#include "scen_measured.h"

#include <math.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Whose layers rows may name. */
static const ModelSpec model = {
    .name = "small",
    .layers = 2,
    .hidden = 64,
    .heads = 8,
    .kv_heads = 2,
    .head_dim = 8,
    .ffn = 128,
    .vocab = 1000,
    .gated_mlp = true,
};

static void check(bool done, const GError *error)
{
    g_assert(done == (error == NULL));
    g_assert(done || error->message[0] != '\0');
}

static void read_measured(const char *path)
{
    const ScenProfiled profiled = {.model = &model, .dtype = TOPO_DTYPE_BF16};
    g_autoptr(ScenMeasured) measured = scen_measured_new();
    g_autoptr(GError) error = NULL;
    bool done = scen_measured_read(measured, path, &profiled, &error);
    check(done, error);
    for (guint i = 0; i < measured->gemm->len; i++) {
        const KernGemmRow *row = &g_array_index(measured->gemm, KernGemmRow, i);
        g_assert(row->seconds > 0.0 && row->shape.m > 0 && row->shape.n > 0 && row->shape.k > 0);
    }
    for (guint i = 0; i < measured->attention->len; i++) {
        const KernAttentionRow *row = &g_array_index(measured->attention, KernAttentionRow, i);
        g_assert(row->seconds > 0.0 && row->shape.batch > 0 && row->shape.keys > 0);
    }
    if (done)
        kern_table_free(scen_measured_table(measured));
}

static void read_fit(const char *path)
{
    g_autoptr(ScenFitTable) table = scen_fit_table_new(true);
    g_autoptr(GError) error = NULL;
    table->tensor = 1;
    bool done = scen_fit_table_read(table, path, &error);
    check(done, error);
    for (int op = 0; op < TOPO_PROTOCOL_OPS; op++)
        for (guint i = 0; i < table->collective[op]->len; i++) {
            const KernProtocolRow *row = &g_array_index(table->collective[op], KernProtocolRow, i);
            g_assert(row->seconds > 0.0 && isfinite(row->seconds) && row->call.ranks > 1);
        }
    if (done) {
        bool some = scen_fit_table_check(table, &error);
        check(some, error);
    }
}

static void read_folder(const char *folder, const char *text, size_t size)
{
    static const char *const names[] = {"dense.csv", "per_sequence.csv", "attention.csv", "moe.csv",
                                        "skew_fit.csv"};
    g_autofree char *whole = g_strndup(text, size);
    g_auto(GStrv) parts = g_strsplit(whole, "== ", 16);
    for (size_t i = 0; parts[i]; i++) {
        char *body = strchr(parts[i], '\n');
        for (size_t n = 0; body && n < G_N_ELEMENTS(names); n++)
            if (g_str_has_prefix(parts[i], names[n]))
                g_free(fuzz_folder_put(folder, names[n], body + 1, strlen(body + 1)));
    }
    g_autoptr(GError) error = NULL;
    StratProfile *profile = scen_engine_profile_read(folder, 1, &error);
    check(profile != NULL, error);
    strat_profile_free(profile);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *folder = fuzz_folder_new();
    if (size > 3 && memcmp(data, "== ", 3) == 0) {
        read_folder(folder, (const char *)data, size);
    } else {
        g_autofree char *path = fuzz_folder_put(folder, "table.csv", data, size);
        read_measured(path);
        read_fit(path);
    }
    fuzz_folder_free(folder);
    return 0;
}

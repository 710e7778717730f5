/* The document of a calibration: what was measured on what, then three rows that a scenario can
 * name once it names the file under `devices:`. The CPU stands where a GPU would: its cores are the
 * multiprocessors, its DRAM the memory, and its peak the steady rate that was fitted. */
#include "scen_host_yaml.h"

#include "kern_host_fit.h"
#include "kern_host_pass.h"
#include "scen_options.h"

enum { SCHEMA = 1 };

static void add_spreads(GString *out, const KernHostBench *bench)
{
    static const struct {
        KernHostKind kind;
        const char *name;
    } kinds[] = {
        {KERN_HOST_PRODUCT, "products"},
        {KERN_HOST_LOOP,    "loops"   },
        {KERN_HOST_STREAM,  "streams" },
    };
    g_string_append(out, "  measured:\n");
    for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++) {
        size_t tasks = 0, samples = 0, rejected = 0;
        double spread = 0.0;
        for (size_t j = 0; j < kern_host_bench_count(bench); j++) {
            const KernHostTask *task = kern_host_bench_task(bench, j);
            if (task->kind != kinds[i].kind)
                continue;
            tasks++;
            samples += task->samples->len;
            rejected += task->rejected;
            spread += task->spread_fraction;
        }
        g_string_append_printf(
            out, "    %s: {tasks: %zu, samples: %zu, rejected: %zu, mean_spread: %.4f}\n",
            kinds[i].name, tasks, samples, rejected, spread / (double)MAX(tasks, 1));
    }
}

static void add_streams(GString *out, const ScenHostReport *report)
{
    static const char *const names[] = {
        [KERN_HOST_STREAM_READ] = "read",
        [KERN_HOST_STREAM_COPY] = "copy",
        [KERN_HOST_STREAM_TRIAD] = "triad",
    };
    g_string_append(out, "  bandwidth:  # at the levels below\n");
    for (int stream = 0; stream < KERN_HOST_STREAM_COUNT; stream++) {
        g_string_append_printf(out, "    %s: [", names[stream]);
        for (size_t level = 0; level < KERN_HOST_LEVELS; level++)
            g_string_append_printf(
                out, "%s%.4g GB/s", level ? ", " : "",
                1e-9 * kern_host_stream_bytes_per_s(report->bench, (KernHostStream)stream, level));
        g_string_append(out, "]\n");
    }
}

static void add_machine(GString *out, const ScenHostReport *report)
{
    const KernHostMachine *m = report->machine;
    g_string_append_printf(out,
                           "schema: %d\nmachine:\n  cpu: \"%s\"\n  cpus: %d\n  threads: %d\n"
                           "  caches: [",
                           SCHEMA, m->model, m->cpus, report->threads);
    bool any = false;
    for (size_t i = 0; i < KERN_HOST_CACHES; i++)
        if (m->cache_bytes[i] > 0.0) {
            g_string_append_printf(out, "%sL%zu %.0f KiB", any ? ", " : "", i + 1,
                                   m->cache_bytes[i] / 1024.0);
            any = true;
        }
    g_string_append_printf(out,
                           "]\n  library: \"%s\"\n  library_core: \"%s\"\n  date: %s\n"
                           "  program: orrery %s\n  seconds: %.0f\n",
                           kern_host_blas_config(report->blas), kern_host_blas_core(report->blas),
                           report->date, scen_version(), report->measured_s);
    g_string_append_printf(out, "  calm: %.2f  # share of the time\n",
                           kern_host_bench_calm_fraction(report->bench));
    add_spreads(out, report->bench);
    add_streams(out, report);
}

static void add_gemm(GString *out, const char *name, const KernHostGemmFit *fits)
{
    static const struct {
        TopoDtype dtype;
        const char *name;
    } dtypes[] = {
        {TOPO_DTYPE_FP32, "fp32"},
        {TOPO_DTYPE_BF16, "bf16"},
    };
    g_string_append_printf(out, "      %s:\n", name);
    for (size_t i = 0; i < G_N_ELEMENTS(dtypes); i++) {
        const KernHostGemmFit *f = &fits[dtypes[i].dtype];
        if (f->rows == 0)
            continue;
        g_string_append_printf(
            out,
            "        %s:\n          call: %.6f us\n          rate: %.4f GFLOP/s\n"
            "          left: %.6f ns\n          right: %.6f ns\n          right_exponent: %.4f\n"
            "          output: %.6f ns\n          edge: %.4f\n          vector_call: %.6f us\n"
            "          vector_right: %.6f ns\n          rows: %" G_GINT64_FORMAT "\n"
            "          median_error: %.4f\n          p90_error: %.4f\n",
            dtypes[i].name, f->call_s * 1e6, f->flop_per_s * 1e-9, f->left_s * 1e9,
            f->right_s * 1e9, f->right_exponent, f->output_s * 1e9, f->edge_fraction,
            f->vector_call_s * 1e6, f->vector_right_s * 1e9, f->rows, f->median_error_fraction,
            f->p90_error_fraction);
    }
}

static void add_rates(GString *out, const char *name, const double *seconds)
{
    g_string_append_printf(out, "          %s: [", name);
    for (size_t i = 0; i < KERN_HOST_LEVELS; i++)
        g_string_append_printf(out, "%s%.4f GB/s", i ? ", " : "", 1e-9 / seconds[i]);
    g_string_append(out, "]\n");
}

static void add_profile(GString *out, const ScenHostReport *report, const char *source)
{
    const KernHostFit *fit = report->fit;
    g_string_append_printf(out,
                           "profiles:\n  host-cpu:\n    source: \"%s\"\n    grade: fitted\n"
                           "    host:\n      threads: %" G_GINT64_FORMAT "\n",
                           source, fit->threads);
    add_gemm(out, "weights", fit->weights);
    add_gemm(out, "activations", fit->activations);
    g_string_append(out, "      levels: [");
    for (size_t i = 0; i < KERN_HOST_LEVELS; i++)
        g_string_append_printf(out, "%s%.0f B", i ? ", " : "", fit->level_bytes[i]);
    g_string_append(out, "]\n      passes:\n");
    for (int pass = 0; pass < KERN_HOST_PASS_COUNT; pass++) {
        g_string_append_printf(out, "        %s:\n", kern_host_pass_name((KernHostPass)pass));
        add_rates(out, "forward", fit->pass[pass].forward_s);
        add_rates(out, "backward", fit->pass[pass].backward_s);
    }
    g_string_append_printf(out,
                           "      pass_spread: %.4f\n    sustained_clock: 1.0\n"
                           "    sustained_clock_source: \"measured at the clock that a long run "
                           "has\"\n",
                           fit->pass_spread_fraction);
}

static void add_device(GString *out, const ScenHostReport *report, const char *source)
{
    const KernHostMachine *m = report->machine;
    const KernHostFit *fit = report->fit;
    double triad =
        kern_host_stream_bytes_per_s(report->bench, KERN_HOST_STREAM_TRIAD, KERN_HOST_LEVELS - 1);
    g_string_append_printf(out,
                           "gpus:\n  host-cpu:\n    source: \"%s\"\n    profile: host-cpu\n"
                           "    memory: %.0f B\n    memory_bandwidth: %.4f GB/s\n"
                           "    peak: {fp32: %.4f GFLOP/s",
                           source, m->memory_bytes, triad * 1e-9,
                           fit->weights[TOPO_DTYPE_FP32].flop_per_s * 1e-9);
    if (fit->weights[TOPO_DTYPE_BF16].rows > 0)
        g_string_append_printf(out, ", bf16: %.4f GFLOP/s",
                               fit->weights[TOPO_DTYPE_BF16].flop_per_s * 1e-9);
    g_string_append_printf(out,
                           "}\n    multiprocessors: %d\n    boost_clock: %.0f MHz\n    l2: %.0f B\n"
                           "nodes:\n  host-cpu:\n    source: \"%s\"\n    gpu: host-cpu\n"
                           "    gpus: 1\n    scale_up: pcie  # nothing is sent: memory stands in\n"
                           "    scale_up_bandwidth: %.4f GB/s\n    scale_up_latency: 1 us\n"
                           "    nics: 0\n    host_memory: %.0f B\n",
                           report->threads, m->clock_hz > 0.0 ? m->clock_hz * 1e-6 : 1000.0,
                           m->last_cache_bytes, source, triad * 1e-9, m->memory_bytes);
}

char *scen_host_yaml(const ScenHostReport *report)
{
    g_autoptr(GString) out =
        g_string_new("# Written by orrery calibrate. A scenario names this file under `devices:` "
                     "and then the\n# node host-cpu: {devices: FILE, cluster: {node: host-cpu, "
                     "gpus: 1}, plan: {precision: fp32}}.\n");
    g_autofree char *source =
        g_strdup_printf("orrery calibrate %s --threads %d on %s, %s", report->mode, report->threads,
                        report->machine->model, report->date);
    add_machine(out, report);
    add_profile(out, report, source);
    add_device(out, report, source);
    return g_string_free(g_steal_pointer(&out), FALSE);
}

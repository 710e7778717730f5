/* What the system tells of its CPUs: /proc/cpuinfo, /proc/meminfo, and cpu0's caches below
 * /sys/devices/system/cpu. Virtual machines leave some of it out, or report the cache of a whole
 * package that they share.
 *
 * One thread is timed by the CPU time that it used: what other programs take from it in the
 * meantime does not count, though what they do to caches and memory does. Several threads wait for
 * each other, so they are timed by the wall. */
#include "kern_host_machine.h"

#include "kern_host_blas.h"

#include <sched.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* The text after "key...:" of the first such line of @path. The caller owns it; NULL: none. */
static char *line_of(const char *path, const char *key)
{
    g_autofree char *text = NULL;
    if (!g_file_get_contents(path, &text, NULL, NULL))
        return NULL;
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    for (size_t i = 0; lines[i]; i++) {
        const char *colon = strchr(lines[i], ':');
        if (colon && g_str_has_prefix(lines[i], key))
            return g_strstrip(g_strdup(colon + 1));
    }
    return NULL;
}

static double number_of(const char *text)
{
    return text ? g_ascii_strtod(text, NULL) : 0.0;
}

static char *cache_text(int index, const char *what)
{
    g_autofree char *path =
        g_strdup_printf("/sys/devices/system/cpu/cpu0/cache/index%d/%s", index, what);
    char *text = NULL;
    return g_file_get_contents(path, &text, NULL, NULL) ? g_strstrip(text) : NULL;
}

static void read_caches(KernHostMachine *machine)
{
    for (int index = 0; index < 8; index++) {
        g_autofree char *type = cache_text(index, "type");
        g_autofree char *level_text = cache_text(index, "level");
        g_autofree char *size = cache_text(index, "size");
        int level = (int)number_of(level_text);
        if (!type || !size || g_str_equal(type, "Instruction") || level < 1 ||
            level > KERN_HOST_CACHES)
            continue;
        double unit = strchr(size, 'M') ? 1048576.0 : strchr(size, 'K') ? 1024.0 : 1.0;
        machine->cache_bytes[level - 1] = number_of(size) * unit;
        machine->last_cache_bytes = MAX(machine->last_cache_bytes, number_of(size) * unit);
    }
}

void kern_host_machine_read(KernHostMachine *machine)
{
    *machine = (KernHostMachine){0};
    g_autofree char *model = line_of("/proc/cpuinfo", "model name");
    g_autofree char *clock = line_of("/proc/cpuinfo", "cpu MHz");
    g_autofree char *memory = line_of("/proc/meminfo", "MemTotal");
    g_autofree char *highest = NULL;
    g_strlcpy(machine->model, model && *model ? model : "unknown", sizeof machine->model);
    g_strdelimit(machine->model, "\"\\", ' ');
    machine->clock_hz = number_of(clock) * 1e6;
    if (g_file_get_contents("/sys/devices/system/cpu/cpu0/cpufreq/cpuinfo_max_freq", &highest, NULL,
                            NULL))
        machine->clock_hz = number_of(highest) * 1e3;
    machine->memory_bytes = number_of(memory) * 1024.0;
    read_caches(machine);
    cpu_set_t set;
    CPU_ZERO(&set);
    if (sched_getaffinity(0, sizeof set, &set) != 0)
        CPU_SET(0, &set);
    for (size_t i = 0; i < KERN_HOST_CPUS && i < CPU_SETSIZE; i++)
        if (CPU_ISSET(i, &set))
            machine->cpu[machine->cpus++] = (int)i;
}

static void confine(const KernHostMachine *machine, pid_t thread, int first, int count)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    for (int i = first; i < first + count; i++)
        CPU_SET((size_t)machine->cpu[i], &set);
    sched_setaffinity(thread, sizeof set, &set);
}

bool kern_host_machine_confine(const KernHostMachine *machine, int threads, GError **error)
{
    if (threads < 1 || threads > machine->cpus) {
        g_set_error(error, KERN_HOST_ERROR, KERN_HOST_ERROR_CPU,
                    "%d threads: this process may use 1 to %d CPUs", threads, machine->cpus);
        return false;
    }
    confine(machine, 0, 0, threads);
    return true;
}

static int number_compare(const void *left, const void *right)
{
    int a = *(const int *)left, b = *(const int *)right;
    return (a > b) - (a < b);
}

void kern_host_machine_pin(const KernHostMachine *machine, int threads)
{
    g_autoptr(GDir) tasks = g_dir_open("/proc/self/task", 0, NULL);
    g_autoptr(GArray) numbers = g_array_new(FALSE, FALSE, sizeof(int));
    for (const char *name; tasks && (name = g_dir_read_name(tasks));) {
        int number = (int)g_ascii_strtoll(name, NULL, 10);
        g_array_append_val(numbers, number);
    }
    g_array_sort(numbers, number_compare);
    for (guint i = 0; i < numbers->len; i++)
        confine(machine, g_array_index(numbers, int, i), (int)i % threads, 1);
}

void kern_host_machine_release(const KernHostMachine *machine)
{
    confine(machine, 0, 0, machine->cpus);
}

double kern_host_clock_s(int threads)
{
    struct timespec now;
    clock_gettime(threads == 1 ? CLOCK_THREAD_CPUTIME_ID : CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* The loops that are measured: each family forward and backward at KERN_HOST_LEVELS sizes, and
 * reads, copies and triads (McCalpin, STREAM, 1995) at the same sizes.
 *
 * Bytes are those that models/ counts, at four an element: a norm reads and writes each element,
 * its backward reads x and dy for dx and once more for dw. */
#include "kern_host_loops.h"
#include "kern_host_pass.h"
#include "kern_host_tasks.h"

#include <math.h>

enum { HEAD_DIM = 64, SOFTMAX_WIDTH = 512, ROWS_MOST = 16384 };

/* Elements of a row, and how many values an element of the output reads and writes. */
static const struct {
    size_t width;
    double forward, backward;
} families[] = {
    [KERN_HOST_PASS_ADD] = {1024,          3, 3},
    [KERN_HOST_PASS_NORM] = {1024,          2, 5},
    [KERN_HOST_PASS_SOFTMAX] = {SOFTMAX_WIDTH, 2, 3},
    [KERN_HOST_PASS_ACTIVATION] = {2048,          3, 5},
    [KERN_HOST_PASS_ROTARY] = {512,           2, 2},
    [KERN_HOST_PASS_TRANSPOSE] = {512,           2, 2},
};

static const double stream_values[] = {
    [KERN_HOST_STREAM_READ] = 1,
    [KERN_HOST_STREAM_COPY] = 2,
    [KERN_HOST_STREAM_TRIAD] = 3,
};

double kern_host_level_bytes(size_t level)
{
    static const double bytes[] = {16384.0, 131072.0, 1048576.0, 6291456.0, 25165824.0, 67108864.0};
    _Static_assert(G_N_ELEMENTS(bytes) == KERN_HOST_LEVELS, "a size for each level");
    return bytes[level];
}

static void add(GArray *tasks, KernHostTask task, size_t width, double values)
{
    double row = (double)width * values * sizeof(float);
    task.width = width;
    task.rows = (size_t)MAX(1.0, kern_host_level_bytes(task.level) / row + 0.5);
    task.bytes = (double)task.rows * row;
    g_array_append_val(tasks, task);
}

void kern_host_tasks_loops(GArray *tasks)
{
    for (size_t level = 0; level < KERN_HOST_LEVELS; level++) {
        for (int pass = 0; pass < KERN_HOST_PASS_COUNT; pass++) {
            KernHostTask task = {
                .kind = KERN_HOST_LOOP, .pass = (KernHostPass)pass, .level = level};
            add(tasks, task, families[pass].width, families[pass].forward);
            task.backward = true;
            add(tasks, task, families[pass].width, families[pass].backward);
        }
        for (int stream = 0; stream < KERN_HOST_STREAM_COUNT; stream++) {
            KernHostTask task = {
                .kind = KERN_HOST_STREAM, .stream = (KernHostStream)stream, .level = level};
            add(tasks, task, 1024, stream_values[stream]);
        }
    }
}

void kern_host_arena_tables(KernHostArena *arena)
{
    size_t angles = ROWS_MOST * HEAD_DIM / 2, chances = ROWS_MOST * SOFTMAX_WIDTH;
    arena->cosines = g_new(float, angles);
    arena->sines = g_new(float, angles);
    arena->chances = g_new(float, chances);
    for (size_t i = 0; i < angles; i++) {
        arena->cosines[i] = cosf((float)i);
        arena->sines[i] = sinf((float)i);
    }
    for (size_t i = 0; i < chances; i++)
        arena->chances[i] = 1.0f / SOFTMAX_WIDTH;
}

/* One call, as the members of a team see it. */
typedef struct Call {
    KernHostArena *arena;
    const KernHostTask *task;
    float *x, *y, *z; /* each rows x width, or more, apart */
} Call;

static void run_family(Call *call, size_t first, size_t rows)
{
    const KernHostTask *task = call->task;
    size_t width = task->width, at = first * width;
    float *x = call->x + at, *y = call->y + at, *z = call->z + at;
    const float *table = call->arena->left;
    switch (task->pass) {
    case KERN_HOST_PASS_ADD:
        kern_host_add(x, y, z, rows * width);
        break;
    case KERN_HOST_PASS_NORM:
        if (task->backward) {
            kern_host_norm_input(x, table, y, z, rows, width);
            kern_host_norm_weight(x, y, call->arena->left + 4096 + first % 64 * width, rows, width);
        } else {
            kern_host_norm(x, table, y, rows, width);
        }
        break;
    case KERN_HOST_PASS_SOFTMAX:
        if (task->backward)
            kern_host_softmax_back(call->arena->chances + at, y, rows, width, (float)width);
        else
            kern_host_softmax(x, rows, width, first % width + 1, 1, 1.0f);
        break;
    case KERN_HOST_PASS_ACTIVATION:
        if (task->backward)
            kern_host_gate_back(x + at, z, y + at, rows, width);
        else
            kern_host_gate(x + at, z, rows, width);
        break;
    case KERN_HOST_PASS_ROTARY:
        kern_host_rotate(x, call->arena->cosines, call->arena->sines, rows, width, width / HEAD_DIM,
                         HEAD_DIM, 1.0f);
        break;
    default:
        kern_host_transpose(x, y, rows, width, width / HEAD_DIM, HEAD_DIM, !task->backward);
        break;
    }
}

static void run_stream(Call *call, size_t first, size_t rows)
{
    size_t from = first * call->task->width, end = from + rows * call->task->width;
    const float *x = call->x, *y = call->y;
    float *z = call->z;
    float lane[16] = {0};
    switch (call->task->stream) {
    case KERN_HOST_STREAM_READ:
        for (size_t i = from; i < end; i += 16)
            for (size_t j = 0; j < 16; j++)
                lane[j] += x[i + j];
        for (size_t j = 0; j < 16; j++)
            call->y[first + j] = lane[j];
        break;
    case KERN_HOST_STREAM_COPY:
        for (size_t i = from; i < end; i++)
            z[i] = x[i];
        break;
    default:
        for (size_t i = from; i < end; i++)
            z[i] = x[i] + 3.0f * y[i];
        break;
    }
}

static void work(void *data, size_t first, size_t count)
{
    Call *call = data;
    if (call->task->kind == KERN_HOST_STREAM)
        run_stream(call, first, count);
    else
        run_family(call, first, count);
}

void kern_host_run_loop(KernHostArena *arena, const KernHostTask *task)
{
    bool gated = task->kind == KERN_HOST_LOOP && task->pass == KERN_HOST_PASS_ACTIVATION;
    size_t apart = task->rows * task->width * (gated ? 2 : 1) + 64;
    Call call = {arena, task, arena->area, arena->area + apart, arena->area + 2 * apart};
    kern_host_team_run(arena->team, work, &call, task->rows);
}

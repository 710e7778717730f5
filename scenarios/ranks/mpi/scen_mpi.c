/* Messages by MPI: a module of its own (liborrery-mpi.so), which the program loads when it is started
 * by mpirun and never else, so that nothing but this file needs MPI, at build or at run.
 *
 * Sends and receives are immediate and keep their bytes until MPI is done with them, so that a process
 * that has died holds nobody up, even in the middle of a message. Errors are returned instead of ending the job, and then
 * left alone: that a rank is gone is seen by its silence (scen_ranks_farm.c). MPI counts bytes in int,
 * so a message is at most 2 GB.
 *
 * Only the thread that opened calls MPI. */
#include "scen_ranks.h"

#include <mpi.h>

ScenRanks *scen_mpi_open(GError **error);

/* A message on its way. */
typedef struct Letter {
    GBytes *bytes;
    MPI_Request request;
} Letter;

/* A message that has begun to arrive. */
typedef struct Parcel {
    int from;
    gsize size;
    char *data;
    MPI_Request request;
} Parcel;

typedef struct Post {
    ScenRanks ranks; /* first, so that one is the other */
    GQueue letters;  /* of Letter; owned */
    GQueue parcels;  /* of Parcel, in the order in which they began; owned */
} Post;

static void letter_free(Letter *letter)
{
    g_bytes_unref(letter->bytes);
    g_free(letter);
}

/* Lets go of what has arrived. */
static void sweep_letters(Post *post)
{
    for (GList *link = post->letters.head; link;) {
        GList *next = link->next;
        Letter *letter = link->data;
        int done = 0;
        if (MPI_Test(&letter->request, &done, MPI_STATUS_IGNORE) != MPI_SUCCESS || done) {
            letter_free(letter);
            g_queue_delete_link(&post->letters, link);
        }
        link = next;
    }
}

static void post_send(ScenRanks *ranks, int to, GBytes *bytes)
{
    Post *post = (Post *)ranks;
    gsize size = 0;
    const void *data = g_bytes_get_data(bytes, &size);
    g_assert(size <= G_MAXINT);
    Letter *letter = g_new0(Letter, 1);
    letter->bytes = g_bytes_ref(bytes);
    sweep_letters(post);
    if (MPI_Isend(data, (int)size, MPI_BYTE, to, 0, MPI_COMM_WORLD, &letter->request) ==
        MPI_SUCCESS)
        g_queue_push_tail(&post->letters, letter);
    else
        letter_free(letter);
}

/* Begins to receive what somebody is sending. */
static void begin_parcel(Post *post)
{
    MPI_Status status;
    int there = 0, size = 0;
    if (MPI_Iprobe(MPI_ANY_SOURCE, 0, MPI_COMM_WORLD, &there, &status) != MPI_SUCCESS || !there)
        return;
    MPI_Get_count(&status, MPI_BYTE, &size);
    Parcel *parcel = g_new0(Parcel, 1);
    parcel->from = status.MPI_SOURCE;
    parcel->size = (gsize)size;
    parcel->data = g_malloc(parcel->size + 1);
    if (MPI_Irecv(parcel->data, size, MPI_BYTE, parcel->from, 0, MPI_COMM_WORLD,
                  &parcel->request) == MPI_SUCCESS) {
        g_queue_push_tail(&post->parcels, parcel);
    } else {
        g_free(parcel->data);
        g_free(parcel);
    }
}

/* Whether a parcel before @link comes from the same process: those arrive in order. */
static bool is_behind(const GList *link)
{
    const Parcel *parcel = link->data;
    for (const GList *before = link->prev; before; before = before->prev)
        if (((const Parcel *)before->data)->from == parcel->from)
            return true;
    return false;
}

static GBytes *post_receive(ScenRanks *ranks, int *from)
{
    Post *post = (Post *)ranks;
    sweep_letters(post);
    begin_parcel(post);
    for (GList *link = post->parcels.head; link; link = link->next) {
        Parcel *parcel = link->data;
        int done = 0;
        if (is_behind(link) ||
            MPI_Test(&parcel->request, &done, MPI_STATUS_IGNORE) != MPI_SUCCESS || !done)
            continue;
        GBytes *bytes = g_bytes_new_take(parcel->data, parcel->size);
        *from = parcel->from;
        g_queue_delete_link(&post->parcels, link);
        g_free(parcel);
        return bytes;
    }
    return NULL;
}

static void post_close(ScenRanks *ranks, bool all)
{
    Post *post = (Post *)ranks;
    while (all && !g_queue_is_empty(&post->letters))
        sweep_letters(post);
    if (all)
        MPI_Finalize();
    g_queue_clear_full(&post->letters, (GDestroyNotify)letter_free);
    g_queue_clear(&post->parcels); /* MPI may yet write to what never arrived */
    g_free(post);
}

ScenRanks *scen_mpi_open(GError **error)
{
    int provided = 0;
    if (MPI_Init_thread(NULL, NULL, MPI_THREAD_FUNNELED, &provided) != MPI_SUCCESS ||
        provided < MPI_THREAD_FUNNELED) {
        g_set_error_literal(error, G_FILE_ERROR, G_FILE_ERROR_FAILED, "MPI does not start");
        return NULL;
    }
    MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
    Post *post = g_new0(Post, 1);
    post->ranks.send = post_send;
    post->ranks.receive = post_receive;
    post->ranks.close = post_close;
    MPI_Comm_rank(MPI_COMM_WORLD, &post->ranks.rank);
    MPI_Comm_size(MPI_COMM_WORLD, &post->ranks.count);
    return &post->ranks;
}

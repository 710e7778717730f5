/** The hardware as a graph: devices are vertices, wires are directed links. Every network model and
 *  every route reads this one description. Built once, sealed, then only health and length move. */
#ifndef TOPO_GRAPH_H
#define TOPO_GRAPH_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/** What a vertex is. Everything before LEAF lives inside a node (a NIC is its door). */
typedef enum TopoVertexKind {
    TOPO_VERTEX_GPU,
    TOPO_VERTEX_NVSWITCH,
    TOPO_VERTEX_PCIE_SWITCH,
    TOPO_VERTEX_CPU,
    TOPO_VERTEX_NIC,
    TOPO_VERTEX_LEAF,
    TOPO_VERTEX_SPINE,
    TOPO_VERTEX_CORE,
    TOPO_VERTEX_STORAGE,
    TOPO_VERTEX_KIND_COUNT
} TopoVertexKind;

/** No such vertex or link. */
#define TOPO_NONE UINT32_MAX

/** One device, 16 bytes. Its name, "leaf/12", is made of kind and ordinal when asked for. */
typedef struct TopoVertex {
    uint8_t kind;     /* TopoVertexKind */
    uint8_t level;    /* tier of the scale-out network: leaf 1, spine 2, core 3; in a node 0 */
    uint16_t rail;    /* position of a GPU or NIC in its node; rail of a leaf; otherwise 0 */
    uint32_t ordinal; /* among the vertices of its kind, set by topo_graph_add_vertex() */
    int32_t pod;      /* pod, group or segment; -1: none */
    int32_t rack;     /* rack of a device inside a node; -1: in a row of switches */
} TopoVertex;

/** One direction of one wire. */
typedef struct TopoLink {
    uint32_t from, to;       /* vertices */
    double bytes_per_s;      /* rate when healthy */
    double latency_s;        /* of the sending device: switch, NIC, forward error correction */
    double length_m;         /* of the cable; 5 ns a metre */
    double health_fraction;  /* 1: up, 0: down, between: this fraction of the rate is left */
    double payload_fraction; /* of the rate, that payload reaches at best; 0 when added: all */
} TopoLink;

/** Ids of links in ascending order; borrowed from the graph. */
typedef struct TopoLinkSpan {
    const uint32_t *ids;
    size_t count;
} TopoLinkSpan;

typedef struct TopoGraph TopoGraph;

/** An empty graph. Free with topo_graph_free(). */
TopoGraph *topo_graph_new(void);
void topo_graph_free(TopoGraph *graph);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(TopoGraph, topo_graph_free)

/** Adds @vertex (its ordinal is ignored) and returns its id, counted from 0. Before sealing. */
uint32_t topo_graph_add_vertex(TopoGraph *graph, TopoVertex vertex);

/** Adds @link and returns its id, counted from 0. Both ends exist. Before sealing. */
uint32_t topo_graph_add_link(TopoGraph *graph, TopoLink link);

/** Adds @link and its reverse, which has latency @back_latency_s and the next id. Returns the id of
 *  the forward link. Before sealing. */
uint32_t topo_graph_add_duplex(TopoGraph *graph, TopoLink link, double back_latency_s);

/** Ends construction and indexes the links by their ends. */
void topo_graph_seal(TopoGraph *graph);

/** How many vertices. */
uint32_t topo_graph_vertex_count(const TopoGraph *graph);
/** How many directed links. */
uint32_t topo_graph_link_count(const TopoGraph *graph);
/** How many vertices of @kind. */
uint32_t topo_graph_kind_count(const TopoGraph *graph, TopoVertexKind kind);

/** Vertex @id; borrowed, valid until the next vertex is added. */
const TopoVertex *topo_graph_vertex(const TopoGraph *graph, uint32_t id);
/** Link @id; borrowed, valid until the next link is added. */
const TopoLink *topo_graph_link(const TopoGraph *graph, uint32_t id);
/** Links that leave @vertex. Sealed graphs only. */
TopoLinkSpan topo_graph_out(const TopoGraph *graph, uint32_t vertex);
/** Links that reach @vertex. Sealed graphs only. */
TopoLinkSpan topo_graph_in(const TopoGraph *graph, uint32_t vertex);
/** The first link from @from to @to, or TOPO_NONE. Sealed graphs only. */
uint32_t topo_graph_link_between(const TopoGraph *graph, uint32_t from, uint32_t to);

/** The vertex of @kind with @ordinal, or TOPO_NONE. */
uint32_t topo_graph_find(const TopoGraph *graph, TopoVertexKind kind, uint32_t ordinal);
/** Name of a kind: "gpu", "nvswitch", "pcie-switch", "cpu", "nic", "leaf", "spine", "core",
 *  "storage". */
const char *topo_vertex_kind_name(TopoVertexKind kind);
/** Name of @vertex, for example "leaf/12"; the caller frees it. */
char *topo_graph_name(const TopoGraph *graph, uint32_t vertex);
/** Reads a name such as "leaf/12" into @kind and @ordinal. False and @error for anything else. */
bool topo_vertex_parse(const char *name, TopoVertexKind *kind, uint32_t *ordinal, GError **error);

/** Seconds from the sending of a bit to its arrival over @link: latency_s + 5 ns a metre.
 *  Serialisation is the business of the network model. */
double topo_link_latency_s(const TopoLink *link);
/** Rate that payload has on @link: bytes_per_s * payload_fraction * health_fraction. */
double topo_link_rate_bytes_per_s(const TopoLink *link);

/** Sets the health of @link, 0 to 1. False and @error when out of range. Routers notice. */
bool topo_graph_set_health(TopoGraph *graph, uint32_t link, double health_fraction, GError **error);
/** Sets what payload reaches on @link, above 0 to 1, of its rate. */
void topo_graph_set_payload(TopoGraph *graph, uint32_t link, double payload_fraction);
/** Moves the devices of @rack: every link with one end in it grows by @length_m (or shrinks, down
 * to 0 m). Returns how many directed links changed. */
uint32_t topo_graph_move_rack(TopoGraph *graph, int32_t rack, double length_m);
/** Puts @vertex into @pod. */
void topo_graph_set_pod(TopoGraph *graph, uint32_t vertex, int32_t pod);
/** Counts the changes of health: caches that hold an older number are stale. */
uint64_t topo_graph_epoch(const TopoGraph *graph);

/** Writes a Graphviz drawing, a line for each pair of joined vertices with number and rate of their
 *  links; dead links are dashed. Meant for small instances. False when @out took an error. */
bool topo_graph_write_dot(const TopoGraph *graph, FILE *out);

/** Writes the same as a picture in SVG that needs no other program: a row for each kind of device,
 *  cores on top, GPUs at the bottom. False when @out took an error. */
bool topo_graph_write_svg(const TopoGraph *graph, FILE *out);

/** Errors of graph, fabrics and routing: mend the name, mend the parameter, mend the hardware. */
typedef enum TopoGraphError {
    TOPO_GRAPH_ERROR_UNKNOWN_NAME,
    TOPO_GRAPH_ERROR_PARAMETER,
    TOPO_GRAPH_ERROR_NO_PATH,
} TopoGraphError;

#define TOPO_GRAPH_ERROR (topo_graph_error_quark())
/** The quark of TOPO_GRAPH_ERROR. */
GQuark topo_graph_error_quark(void);

#endif

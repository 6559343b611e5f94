"""A diagram that nobody drew is drawn: bpmn-io's automatic layout; where there are lanes, each becomes a band of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from xml.etree.ElementTree import Element, SubElement

from bpmn_io import layout_process
from defusedxml.ElementTree import fromstring

from cityloop.linkage.drawing import BPMN, PREFIXES, Drawing, joined, written

_DI, _DC, _DD = (f"{{{PREFIXES[name]}}}" for name in ("bpmndi", "dc", "di"))
_EDGE, _HEAD, _GAP, _STEP = 40.0, 30.0, 50.0, 20.0
"""Pixels: around everything, of the heads of pool and lanes, between rows, from a node to the turn of a flow."""


@dataclass(frozen=True)
class Box:
    """A rectangle on the canvas, in pixels."""

    x: float
    y: float
    width: float
    height: float

    @property
    def right(self) -> float:
        """Its right side."""
        return self.x + self.width

    @property
    def bottom(self) -> float:
        """Its lower side."""
        return self.y + self.height

    @property
    def middle(self) -> tuple[float, float]:
        """Its centre."""
        return self.x + self.width / 2, self.y + self.height / 2

    def moved(self, right: float, down: float) -> Box:
        """The same elsewhere."""
        return Box(self.x + right, self.y + down, self.width, self.height)

    def cut(self, a: Point, b: Point) -> bool:
        """Whether a level or upright line runs through it."""
        left, right = sorted((a[0], b[0]))
        top, bottom = sorted((a[1], b[1]))
        return left < self.right and right > self.x and top < self.bottom and bottom > self.y


Point = tuple[float, float]
Boxes = dict[str, Box]


def laid_out(drawing: Drawing) -> str:
    """The diagram with shapes for all of it, whatever it had; lanes get a pool around them, as editors expect."""
    root = joined(drawing)
    diagram = _drawn(drawing, root)
    for old in root.findall(f"{_DI}BPMNDiagram"):
        root.remove(old)
    root.append(_with_lanes(drawing, root, diagram) if drawing.lanes else diagram)
    return written(root)


def _drawn(drawing: Drawing, root: Element) -> Element:
    """bpmn-io's drawing of the process without its lanes; sub-processes stand open."""
    plain = fromstring(written(root))
    for old in [*plain.findall(f"{{{BPMN}}}collaboration"), *plain.findall(f"{_DI}BPMNDiagram")]:
        plain.remove(old)
    process = plain.find(f"{{{BPMN}}}process")
    assert process is not None
    for lanes in process.findall(f"{{{BPMN}}}laneSet"):
        process.remove(lanes)
    plane = SubElement(SubElement(plain, f"{_DI}BPMNDiagram", id="open"), f"{_DI}BPMNPlane", bpmnElement=drawing.id)
    for node in drawing.nodes.values():
        if node.kind == "subProcess":
            _shape(plane, node.id, Box(0, 0, 0, 0), isExpanded="true")
    found = fromstring(layout_process(written(plain))).find(f"{_DI}BPMNDiagram")
    assert found is not None
    return found


def _with_lanes(drawing: Drawing, root: Element, diagram: Element) -> Element:
    boxes, bands = _banded(drawing, _boxes(diagram))
    made = Element(f"{_DI}BPMNDiagram", id=f"BPMNDiagram_{drawing.id}")
    plane = SubElement(made, f"{_DI}BPMNPlane", id=f"BPMNPlane_{drawing.id}", bpmnElement=_collaboration(drawing, root))
    first, last = next(iter(bands.values())), list(bands.values())[-1]
    pool = Box(first.x - _HEAD, first.y, first.width + _HEAD, last.bottom - first.y)
    _shape(plane, f"{drawing.id}-pool", pool, isHorizontal="true")
    for lane, band in bands.items():
        _shape(plane, lane, band, isHorizontal="true")
    for name, box in boxes.items():
        _shape(plane, name, box, **({"isExpanded": "true"} if drawing.nodes[name].kind == "subProcess" else {}))
    for flow in drawing.flows.values():
        edge = SubElement(plane, f"{_DI}BPMNEdge", id=f"{flow.id}_di", bpmnElement=flow.id)
        for x, y in _way(drawing, boxes, flow.source, flow.target):
            SubElement(edge, f"{_DD}waypoint", x=f"{x:g}", y=f"{y:g}")
    return made


def _boxes(diagram: Element) -> Boxes:
    found: Boxes = {}
    for shape in diagram.iter(f"{_DI}BPMNShape"):
        bounds = shape.find(f"{_DC}Bounds")
        if bounds is not None:
            x, y, width, height = (float(bounds.get(key, "0")) for key in ("x", "y", "width", "height"))
            found[shape.get("bpmnElement", "")] = Box(x, y, width, height)
    return found


def _banded(drawing: Drawing, boxes: Boxes) -> tuple[Boxes, Boxes]:
    """Every node moved into the band of its lane, and the bands; what has no lane stays in the first."""
    tops = {n.id: n for n in drawing.within(drawing.id) if n.kind != "boundaryEvent" and n.id in boxes}
    left = min((boxes[name].x for name in tops), default=0.0)
    width = max((boxes[name].right for name in tops), default=0.0) - left + 2 * _EDGE
    bands: Boxes = {}
    shifts: dict[str, float] = {}
    y = _EDGE
    for lane in drawing.lanes:
        held = [name for name in tops if drawing.lane_of.get(name, drawing.lanes[0]) is lane]
        start = y
        y += _GAP / 2
        for row in _rows(held, boxes):
            height = max(boxes[name].height for name in row)
            for name in row:
                shifts[name] = y + (height - boxes[name].height) / 2 - boxes[name].y
            y += height + _GAP
        y = max(y - _GAP / 2, start + 120)
        bands[lane.id] = Box(_EDGE + _HEAD, start, width + _HEAD, y - start)
    right = 2 * _EDGE + 2 * _HEAD - left
    return {name: box.moved(right, shifts[_carrier(drawing, name)]) for name, box in boxes.items()}, bands


def _carrier(drawing: Drawing, name: str) -> str:
    """The node of the process itself with which another one moves."""
    node = drawing.nodes[name]
    if node.attached:
        return _carrier(drawing, node.attached)
    return name if node.inside == drawing.id else _carrier(drawing, node.inside)


def _rows(names: Iterable[str], boxes: Mapping[str, Box]) -> list[list[str]]:
    """Nodes that stand side by side, from the top."""
    rows: dict[float, list[str]] = {}
    for name in names:
        rows.setdefault(round(boxes[name].middle[1]), []).append(name)
    return [rows[y] for y in sorted(rows)]


def _way(drawing: Drawing, boxes: Boxes, source: str, target: str) -> list[Point]:
    """The first way between two nodes that runs through no other, else the plainest."""
    kin = {name for end in (source, target) for name in _around(drawing, end)}
    others = [box for name, box in boxes.items() if name not in kin]
    ways = list(_ways(boxes[source], boxes[target], drawing.nodes[source].attached is not None))
    return next((way for way in ways if not any(box.cut(*line) for line in pairwise(way) for box in others)), ways[0])


def _around(drawing: Drawing, name: str) -> Iterator[str]:
    """A node, what it sits on, and all that it stands in."""
    yield name
    node = drawing.nodes[name]
    for outer in (node.attached, node.inside):
        if outer in drawing.nodes:
            yield from _around(drawing, str(outer))


def _ways(source: Box, target: Box, below: bool) -> Iterator[list[Point]]:
    """Ways from side to side: turned at the target, turned at the source, through a gap beside either's row."""
    (sx, sy), (tx, ty) = source.middle, target.middle
    out: list[Point] = [(sx, source.bottom), (sx, source.bottom + _STEP)] if below else [(source.right, sy)]
    x, y = out[-1]
    near, early = target.x - _STEP, (x if below else x + _STEP)
    gaps = (target.y - _STEP, target.bottom + _STEP, source.y - _STEP, source.bottom + _STEP)
    if target.x > x:
        if abs(y - ty) < 1:
            yield [*out, (target.x, ty)]
        yield [*out, (near, y), (near, ty), (target.x, ty)]
        yield [*out, (early, y), (early, ty), (target.x, ty)]
        yield from ([*out, (early, y), (early, gap), (near, gap), (near, ty), (target.x, ty)] for gap in gaps)
    under = max(source.bottom, target.bottom) + _STEP
    yield [(sx, source.bottom), (sx, under), (tx, under), (tx, target.bottom)]
    over = min(source.y, target.y) - _STEP
    yield [(sx, source.y), (sx, over), (tx, over), (tx, target.y)]


def _collaboration(drawing: Drawing, root: Element) -> str:
    """The id of the collaboration whose pool holds the lanes; made where there is none."""
    made = root.find(f"{{{BPMN}}}collaboration")
    if made is None:
        made = Element(f"{{{BPMN}}}collaboration", id=f"{drawing.id}-collaboration")
        root.insert(0, made)
    for old in made.findall(f"{{{BPMN}}}participant"):
        made.remove(old)
    SubElement(made, f"{{{BPMN}}}participant", id=f"{drawing.id}-pool", name=drawing.title.zh, processRef=drawing.id)
    return made.get("id", "")


def _shape(plane: Element, name: str, box: Box, **more: str) -> None:
    shape = SubElement(plane, f"{_DI}BPMNShape", id=f"{name}_di", bpmnElement=name, **more)
    bounds = {"x": box.x, "y": box.y, "width": box.width, "height": box.height}
    SubElement(shape, f"{_DC}Bounds", {key: f"{value:g}" for key, value in bounds.items()})

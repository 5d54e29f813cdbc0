"""Circles in a graph: what the checks of rooms and of calls look for."""
import sys


def circles(edges):
    """The sets of two and more nodes that all reach each other (Tarjan), each sorted. @edges has every node."""
    sys.setrecursionlimit(max(10000, 10 * len(edges)))
    index, low, stack, found = {}, {}, [], []

    def visit(node):
        index[node] = low[node] = len(index)
        stack.append(node)
        for other in sorted(edges[node]):
            if other not in index:
                visit(other)
                low[node] = min(low[node], low[other])
            elif other in stack:
                low[node] = min(low[node], index[other])
        if low[node] == index[node]:
            circle = [stack.pop()]
            while circle[-1] != node:
                circle.append(stack.pop())
            if len(circle) > 1:
                found.append(sorted(circle))

    for node in sorted(edges):
        if node not in index:
            visit(node)
    return found

"""The parts of ``compare_normalizers``, in the order in which a comparison goes through them.

- ``inputs`` checks the data and the options, ``candidates`` makes the pipelines to compare, and
  ``run`` goes from one end to the other;
- ``fitting``: one fit is a ``task``, ``workers`` make many, ``progress`` shows how many;
- ``analysis``: ``intervals`` and ``metrics`` of each normalizer, the ``distributions`` of its
  output, and ``measured``, which holds them all and is what the parts below read;
- ``text``: the ``verdict`` in one sentence, the ``summary``, the ``tables`` and their ``details``;
- ``plots`` and ``html``: the pictures, and the page with all of it;
- ``result`` is what is returned.
"""

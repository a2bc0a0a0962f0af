"""The parts of ``compare_normalizers``, in the order in which a comparison goes through them.

- before: ``inputs`` checks what is given, ``candidates`` makes the pipelines to compare;
- the fits: ``running`` collects them with progress, ``pool`` has the workers, ``fits`` one fit;
- what they say: ``statistics`` has intervals, ``measures`` the four promises for each normalizer;
- in words: ``verdict`` one sentence, ``words`` the summary, ``text`` and ``details`` the tables;
- in pictures: ``display``, with ``panels``, ``score_panel``, ``loss_panel`` and ``distributions``;
  ``looks`` is what they share, ``room`` keeps their texts within the figure, ``captions`` says
  what is in them;
- ``result`` is what is returned, ``report`` the page.
"""

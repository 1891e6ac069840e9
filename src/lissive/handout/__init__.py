"""What is handed over of a case: the report (HTML, PDF), the patient's sheet, and the files behind them.

    from lissive.handout.files import write_report
    written = write_report(Path("out"), answer(read_case("case.yaml")))
    written.paths, written.notes

A page needs nothing but itself. The PDF is made of the same page, by WeasyPrint (the extra `report`).
"""

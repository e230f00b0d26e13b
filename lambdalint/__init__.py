"""lambdalint understands an AWS Lambda function whole: its code, its template and its artifact."""

__version__ = "0.1.0"

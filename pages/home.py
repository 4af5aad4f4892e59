"""home"""
from app import state
state.page_head('home')
state.page_foot()
